"""The simulator's own routes: clock, faults, limits, late reads, state, and a new beginning."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.faults import Fault
from mailgun_mcp.simulator.control.harness import Conditions
from mailgun_mcp.simulator.model.clock import ManualClock, mail_date
from mailgun_mcp.simulator.worlds.demo import SHOP
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
CLOCK, FAULTS, RESET, STATE = (f"/simulator/{name}" for name in ("clock", "faults", "reset", "state"))


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
async def box(account: Account, slept: list[float]) -> AsyncIterator[httpx.AsyncClient]:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with client(create_app(catalogue(), account=account, control=True, sleep=sleep)) as connected:
        yield connected


async def posted(box: httpx.AsyncClient, url: str, **body: Any) -> Any:
    answer = await box.post(url, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(box: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await box.post(
        f"/v3/{PLAIN}/messages", data={"from": "a@x.example", "to": "b@x.example", "text": "Hi", **more}
    )


async def event_names(box: httpx.AsyncClient) -> list[str]:
    return [item["event"] for item in (await box.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"]]


@pytest.mark.parametrize("path", [CLOCK, FAULTS, STATE])
async def test_without_control_there_are_no_such_routes(mailgun: httpx.AsyncClient, path: str) -> None:
    assert (await mailgun.get(path)).status_code == 404


async def test_the_control_routes_need_the_key_that_is_set(account: Account) -> None:
    app = create_app(catalogue(), account=account, key="right", control=True)
    for key, status in (("right", 200), ("wrong", 401)):
        async with client(app, key) as box:
            assert (await box.get(CLOCK)).status_code == status


async def test_an_unknown_control_route_names_the_nearest(box: httpx.AsyncClient) -> None:
    answer = await box.get("/simulator/clok")
    assert answer.status_code == 404
    assert "/simulator/clock" in answer.json()["message"]
    answer = await box.delete(CLOCK)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_form_cannot_move_the_clock(box: httpx.AsyncClient, clock: ManualClock) -> None:
    before = clock.now()
    answer = await box.post(CLOCK, content='{"advance": 5}', headers={"content-type": "text/plain"})
    assert (answer.status_code, clock.now()) == (400, before)


@pytest.mark.parametrize(("ahead", "seconds"), [(90, 90), ("1h30m", 5400), ("2d", 172800)])
async def test_the_clock_moves(box: httpx.AsyncClient, clock: ManualClock, ahead: Any, seconds: float) -> None:
    before = clock.now()
    assert (await posted(box, CLOCK, advance=ahead))["now"] == before + seconds
    assert (await box.get(CLOCK)).json()["now"] == clock.now() == before + seconds


async def test_scheduled_mail_goes_when_its_time_comes(box: httpx.AsyncClient, clock: ManualClock) -> None:
    at = clock.now() + 3600
    await send(box, **{"o:deliverytime": mail_date(at, "+0000")})
    assert await event_names(box) == ["accepted"]
    await posted(box, CLOCK, to=mail_date(at, "+0000"))
    assert await event_names(box) == ["accepted", "delivered"]


@pytest.mark.parametrize(
    "body",
    [{"advance": -1}, {"advance": "soon"}, {"advance": True}, {"to": 1}, {"to": "soon"}, {"to": 2e9, "advance": 1},
     {"forward": 1}, {"held": "yes"}, {"advance": 1e300}],
)  # fmt: skip
async def test_a_move_that_makes_no_sense_is_refused(box: httpx.AsyncClient, clock: ManualClock, body: Any) -> None:
    before = clock.now()
    assert (await box.post(CLOCK, json=body)).status_code == 400
    assert clock.now() == before


async def test_the_machines_clock_can_be_moved_and_held() -> None:
    async with client(create_app(catalogue(), control=True)) as box:
        before = (await box.get(CLOCK)).json()
        held = await posted(box, CLOCK, held=True, advance=1000)
        assert before["held"] is False
        assert held["held"] is True
        assert 1000 <= held["now"] - before["now"] < 1100
        assert (await box.get(CLOCK)).json() == held
        released = await posted(box, CLOCK, held=False)
        assert (released["held"], released["now"] >= held["now"]) == (False, True)
        await posted(box, RESET)
        assert (await box.get(CLOCK)).json()["now"] < held["now"]


async def test_reset_brings_back_the_beginning(box: httpx.AsyncClient) -> None:
    before = (await box.get(STATE)).json()
    await send(box)
    await box.delete(f"/v3/domains/{SHOP}")
    await posted(box, FAULTS, faults=[{"kind": "reset", "rate": 0}], visible_after=5, rate_limits=True)
    assert (await box.get(STATE)).json() != before
    assert await posted(box, RESET) == before
    assert (await box.get(FAULTS)).json() == {"faults": [], "seed": 0, "rate_limits": [], "visible_after": 0.0}
    assert (await box.get(f"/v4/domains/{SHOP}")).status_code == 200


async def test_reset_can_leave_nothing(box: httpx.AsyncClient) -> None:
    assert (await posted(box, RESET, empty=True))["domains"] == {}
    assert (await box.get("/v4/domains")).json()["items"] == []


async def test_what_is_in_the_account_is_told(box: httpx.AsyncClient) -> None:
    await send(box)
    state = (await box.get(STATE)).json()["domains"][PLAIN]
    assert (state["state"], state["messages"], state["events"], state["bounces"]) == ("active", 1, 2, 0)


async def test_mail_that_is_no_longer_kept_is_not_counted(box: httpx.AsyncClient) -> None:
    await send(box)
    await posted(box, CLOCK, advance="30d")
    assert (await box.get(STATE)).json()["domains"][PLAIN]["messages"] == 0


async def test_mail_whose_time_has_come_is_not_counted_as_scheduled(box: httpx.AsyncClient, clock: ManualClock) -> None:
    await send(box, **{"o:deliverytime": mail_date(clock.now() + 60, "+0000")})
    assert (await box.get(STATE)).json()["domains"][PLAIN]["scheduled"] == 1
    clock.advance(61)
    assert (await box.get(STATE)).json()["domains"][PLAIN]["scheduled"] == 0


async def test_a_rate_limit_says_when_to_come_back(box: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(box, FAULTS, faults=[{"kind": "rate_limited", "operation": "list_*", "seconds": 30}])
    answer = await box.get("/v4/domains")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert answer.headers["x-ratelimit-reset"] == str(round(clock.now() + 30))
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.json() == {"message": "account-requests-per-sec limit exceeded, try again after 30 seconds"}
    assert (await box.get(f"/v4/domains/{PLAIN}")).status_code == 200


@pytest.mark.parametrize(("performed", "events"), [(False, []), (True, ["accepted", "delivered"])])
async def test_a_server_error_may_hide_that_it_was_done(
    box: httpx.AsyncClient, performed: bool, events: list[str]
) -> None:
    fault = {"kind": "server_error", "operation": "send_message", "status": 502, "performed": performed}
    await posted(box, FAULTS, faults=[fault])
    answer = await send(box)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert await event_names(box) == events


@pytest.mark.parametrize(("performed", "events"), [(False, []), (True, ["accepted", "delivered"])])
async def test_a_connection_breaks(box: httpx.AsyncClient, performed: bool, events: list[str]) -> None:
    await posted(box, FAULTS, faults=[{"kind": "reset", "operation": "send_message", "performed": performed}])
    with pytest.raises(ConnectionResetError):
        await send(box)
    assert await event_names(box) == events


async def test_a_slow_answer_waits_and_then_comes(box: httpx.AsyncClient, slept: list[float]) -> None:
    await posted(box, FAULTS, faults=[{"kind": "slow", "seconds": 7}, {"kind": "unauthorized", "shape": "json"}])
    answer = await box.get("/v4/domains")
    assert (slept, answer.status_code, answer.json()) == ([7], 401, {"message": "Invalid private key"})


async def test_a_truncated_answer_is_half_of_it(box: httpx.AsyncClient) -> None:
    whole = await box.get("/v4/domains")
    await posted(box, FAULTS, faults=[{"kind": "truncated"}])
    cut = await box.get("/v4/domains")
    assert cut.content == whole.content[: len(whole.content) // 2]
    assert cut.headers["content-length"] == whole.headers["content-length"]


async def test_a_wrong_content_type_is_all_that_is_wrong(box: httpx.AsyncClient) -> None:
    whole = await box.get("/v4/domains")
    await posted(box, FAULTS, faults=[{"kind": "content_type"}])
    answer = await box.get("/v4/domains")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.content == whole.content


async def statuses(box: httpx.AsyncClient, count: int) -> list[int]:
    return [(await box.get("/v4/domains")).status_code for _ in range(count)]


async def test_the_same_seed_gives_the_same_faults(box: httpx.AsyncClient) -> None:
    drawn = []
    for seed in (1, 1, 2):
        await posted(box, FAULTS, faults=[{"kind": "server_error", "rate": 0.5}], seed=seed)
        drawn.append(await statuses(box, 40))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 5 < drawn[0].count(503) < 35


async def test_a_fault_comes_only_as_often_as_it_should(box: httpx.AsyncClient) -> None:
    await posted(box, FAULTS, faults=[{"kind": "server_error", "times": 2}])
    assert await statuses(box, 4) == [503, 503, 200, 200]
    assert (await box.delete(FAULTS)).json()["faults"] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"faults": [{"kind": "slwo"}]}, "unknown kind of fault: 'slwo'; did you mean 'slow'?"),
        ({"faults": [{"kind": "slow", "second": 1}]}, "unknown field of a fault: 'second'; did you mean 'seconds'?"),
        ({"faults": [{"kind": "slow", "rate": 2}]}, "rate: 2 does not fit"),
        ({"faults": {}}, "faults is not a list of objects"),
        ({"fault": []}, "unknown field: 'fault'; did you mean 'faults'?"),
        ({"seed": "x", "faults": []}, "seed is not an integer"),
        ({"visible_after": -1}, "visible_after is out of range"),
        (
            {"rate_limits": [{"requests": 1}]},
            "rate_limits is true, false, or a list of {operations, requests, seconds}",
        ),
    ],
)
async def test_a_fault_that_is_not_known_changes_nothing(box: httpx.AsyncClient, body: Any, text: str) -> None:
    before = (await box.get(FAULTS)).json()
    answer = await box.post(FAULTS, json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert (await box.get(FAULTS)).json() == before


async def test_faults_can_be_on_from_the_start(account: Account) -> None:
    conditions = Conditions(faults=(Fault("server_error", times=1),))
    async with client(create_app(catalogue(), account=account, conditions=conditions)) as box:
        assert await statuses(box, 2) == [503, 200]
        assert (await box.get(CLOCK)).status_code == 404


async def test_limits_count_down_and_start_over(box: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(box, FAULTS, rate_limits=[{"operations": ["domains"], "requests": 2, "seconds": 60}])
    answers = [await box.get("/v4/domains") for _ in range(3)]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert (answers[2].status_code, answers[2].headers["retry-after"]) == (429, "60")
    assert "x-ratelimit-limit" not in (await box.get(f"/v3/{PLAIN}/bounces")).headers
    clock.advance(60)
    assert (await box.get("/v4/domains")).status_code == 200


async def test_the_documented_limits_hold_when_switched_on(account: Account, clock: ManualClock) -> None:
    async with client(create_app(catalogue(), account=account, conditions=Conditions(rate_limits=True))) as box:
        assert set(await statuses(box, 300)) == {200}
        refused = await box.get("/v4/domains")
        assert (refused.status_code, refused.json()) == (429, {"retry-seconds": 60})
        assert (await box.post("/v1/analytics/metrics", json={})).headers["x-ratelimit-limit"] == "500"


async def test_reads_see_a_write_only_after_a_while(box: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(box, FAULTS, visible_after=10)
    created = await box.post(f"/v3/{PLAIN}/bounces", json=[{"address": "late@x.example"}])
    assert created.status_code == 200
    url = f"/v3/{PLAIN}/bounces/late@x.example"
    seen = []
    for _ in range(3):
        seen.append((await box.get(url)).status_code)
        clock.advance(5)
    assert seen == [404, 404, 200]


async def test_ids_are_the_same_when_they_become_visible(box: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(box, FAULTS, visible_after=10)
    await send(box, **{"o:deliverytime": mail_date(clock.now() + 3, "+0000")})
    clock.advance(4)
    await box.get(f"/v3/{PLAIN}/events")
    sent = (await send(box)).json()["id"].strip("<>")
    assert (await box.get(f"/v3/{PLAIN}/events")).json()["items"] == []
    clock.advance(10)
    events = (await box.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"]
    assert [event["event"] for event in events] == ["accepted", "delivered", "accepted", "delivered"]
    assert events[-1]["message"]["headers"]["message-id"] == sent
    await posted(box, FAULTS, visible_after=0)
    assert (await box.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"] == events


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v4/domains", '{"message":"Invalid private key"}'),
        (f"/v3/domains/{PLAIN}/webhooks", '{"message":"Invalid private key"}'),
        ("/v1/dkim/keys", '{"message":"Invalid private key"}'),
        (f"/v3/{PLAIN}/events", "Forbidden"),
        ("/v3/routes", "Forbidden"),
    ],
)
async def test_a_wrong_key_is_refused_in_the_sections_own_shape(account: Account, path: str, answer: str) -> None:
    async with client(create_app(catalogue(), account=account, key="right"), "wrong") as mailgun:
        refused = await mailgun.get(path)
    assert (refused.status_code, refused.text) == (401, answer)
