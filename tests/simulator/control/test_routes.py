"""The simulator's own routes: clock, faults, limits, late reads, state, and a new beginning."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.faults import Fault
from mailgun_mcp.simulator.control.harness import Environment
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
async def harness(account: Account, slept: list[float]) -> AsyncIterator[httpx.AsyncClient]:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with client(create_app(catalogue(), account=account, control=True, sleep=sleep)) as connected:
        yield connected


async def posted(harness: httpx.AsyncClient, url: str, **body: Any) -> Any:
    answer = await harness.post(url, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(harness: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await harness.post(
        f"/v3/{PLAIN}/messages", data={"from": "a@x.example", "to": "b@x.example", "text": "Hi", **more}
    )


async def event_names(harness: httpx.AsyncClient) -> list[str]:
    return [item["event"] for item in (await harness.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"]]


@pytest.mark.parametrize("path", [CLOCK, FAULTS, STATE])
async def test_without_control_there_are_no_such_routes(mailgun: httpx.AsyncClient, path: str) -> None:
    assert (await mailgun.get(path)).status_code == 404


async def test_the_control_routes_need_the_key_that_is_set(account: Account) -> None:
    app = create_app(catalogue(), account=account, key="right", control=True)
    for key, status in (("right", 200), ("wrong", 401)):
        async with client(app, key) as harness:
            assert (await harness.get(CLOCK)).status_code == status


async def test_an_unknown_control_route_names_the_nearest(harness: httpx.AsyncClient) -> None:
    answer = await harness.get("/simulator/clok")
    assert answer.status_code == 404
    assert "/simulator/clock" in answer.json()["message"]
    answer = await harness.delete(CLOCK)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_form_cannot_move_the_clock(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    before = clock.now()
    answer = await harness.post(CLOCK, content='{"advance": 5}', headers={"content-type": "text/plain"})
    assert (answer.status_code, clock.now()) == (400, before)


@pytest.mark.parametrize(("ahead", "seconds"), [(90, 90), ("1h30m", 5400), ("2d", 172800)])
async def test_the_clock_moves(harness: httpx.AsyncClient, clock: ManualClock, ahead: Any, seconds: float) -> None:
    before = clock.now()
    assert (await posted(harness, CLOCK, advance=ahead))["now"] == before + seconds
    assert (await harness.get(CLOCK)).json()["now"] == clock.now() == before + seconds


async def test_scheduled_mail_goes_when_its_time_comes(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    at = clock.now() + 3600
    await send(harness, **{"o:deliverytime": mail_date(at, "+0000")})
    assert await event_names(harness) == ["accepted"]
    await posted(harness, CLOCK, to=mail_date(at, "+0000"))
    assert await event_names(harness) == ["accepted", "delivered"]


@pytest.mark.parametrize(
    "body",
    [{"advance": -1}, {"advance": "soon"}, {"advance": True}, {"to": 1}, {"to": "soon"}, {"to": 2e9, "advance": 1},
     {"forward": 1}, {"paused": "yes"}, {"held": "yes"}, {"advance": 1e300}],
)  # fmt: skip
async def test_a_move_that_makes_no_sense_is_refused(harness: httpx.AsyncClient, clock: ManualClock, body: Any) -> None:
    before = clock.now()
    assert (await harness.post(CLOCK, json=body)).status_code == 400
    assert clock.now() == before


async def test_the_machines_clock_can_be_moved_and_paused() -> None:
    async with client(create_app(catalogue(), control=True)) as harness:
        before = (await harness.get(CLOCK)).json()
        paused = await posted(harness, CLOCK, paused=True, advance=1000)
        assert before["paused"] is False
        assert paused["paused"] is True
        assert 1000 <= paused["now"] - before["now"] < 1100
        assert (await harness.get(CLOCK)).json() == paused
        resumed = await posted(harness, CLOCK, paused=False)
        assert (resumed["paused"], resumed["now"] >= paused["now"]) == (False, True)
        await posted(harness, RESET)
        assert (await harness.get(CLOCK)).json()["now"] < paused["now"]


async def test_the_previous_release_name_of_paused_still_works(harness: httpx.AsyncClient) -> None:
    async with client(create_app(catalogue(), control=True)) as own:
        paused = await posted(own, CLOCK, held=True)
        assert (paused["held"], paused["paused"]) == (True, True)
        assert (await posted(own, CLOCK, held=False))["held"] is False


async def test_a_duration_that_is_not_one_is_refused_with_an_example(harness: httpx.AsyncClient) -> None:
    answer = await harness.post(CLOCK, json={"advance": "yesterday"})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "'yesterday' is not a duration: use seconds or a number with s, m, h or d, such as 2h"
    )


async def test_reset_brings_back_the_beginning(harness: httpx.AsyncClient) -> None:
    before = (await harness.get(STATE)).json()
    await send(harness)
    await harness.delete(f"/v3/domains/{SHOP}")
    await posted(harness, FAULTS, faults=[{"kind": "reset", "rate": 0}], visible_after=5, rate_limits=True)
    assert (await harness.get(STATE)).json() != before
    assert await posted(harness, RESET) == before
    assert (await harness.get(FAULTS)).json() == {"faults": [], "seed": 0, "rate_limits": [], "visible_after": 0.0}
    assert (await harness.get(f"/v4/domains/{SHOP}")).status_code == 200


async def test_reset_can_leave_nothing(harness: httpx.AsyncClient) -> None:
    assert (await posted(harness, RESET, empty=True))["domains"] == {}
    assert (await harness.get("/v4/domains")).json()["items"] == []


async def test_what_is_in_the_account_is_told(harness: httpx.AsyncClient) -> None:
    await send(harness)
    state = (await harness.get(STATE)).json()["domains"][PLAIN]
    assert (state["state"], state["messages"], state["events"], state["bounces"]) == ("active", 1, 2, 0)


async def test_mail_that_is_no_longer_kept_is_not_counted(harness: httpx.AsyncClient) -> None:
    await send(harness)
    await posted(harness, CLOCK, advance="30d")
    assert (await harness.get(STATE)).json()["domains"][PLAIN]["messages"] == 0


async def test_mail_whose_time_has_come_is_not_counted_as_scheduled(
    harness: httpx.AsyncClient, clock: ManualClock
) -> None:
    await send(harness, **{"o:deliverytime": mail_date(clock.now() + 60, "+0000")})
    assert (await harness.get(STATE)).json()["domains"][PLAIN]["scheduled"] == 1
    clock.advance(61)
    assert (await harness.get(STATE)).json()["domains"][PLAIN]["scheduled"] == 0


async def test_a_rate_limit_says_when_to_come_back(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(harness, FAULTS, faults=[{"kind": "rate_limited", "operation": "list_*", "seconds": 30}])
    answer = await harness.get("/v4/domains")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert answer.headers["x-ratelimit-reset"] == str(round(clock.now() + 30))
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.json() == {"message": "account-requests-per-sec limit exceeded, try again after 30 seconds"}
    assert (await harness.get(f"/v4/domains/{PLAIN}")).status_code == 200


@pytest.mark.parametrize(("performed", "events"), [(False, []), (True, ["accepted", "delivered"])])
async def test_a_server_error_may_hide_that_it_was_done(
    harness: httpx.AsyncClient, performed: bool, events: list[str]
) -> None:
    fault = {"kind": "server_error", "operation": "send_message", "status": 502, "performed": performed}
    await posted(harness, FAULTS, faults=[fault])
    answer = await send(harness)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert await event_names(harness) == events


@pytest.mark.parametrize(("performed", "events"), [(False, []), (True, ["accepted", "delivered"])])
async def test_a_connection_breaks(harness: httpx.AsyncClient, performed: bool, events: list[str]) -> None:
    await posted(harness, FAULTS, faults=[{"kind": "reset", "operation": "send_message", "performed": performed}])
    with pytest.raises(ConnectionResetError):
        await send(harness)
    assert await event_names(harness) == events


async def test_a_slow_answer_waits_and_then_comes(harness: httpx.AsyncClient, slept: list[float]) -> None:
    await posted(harness, FAULTS, faults=[{"kind": "slow", "seconds": 7}, {"kind": "unauthorized", "shape": "json"}])
    answer = await harness.get("/v4/domains")
    assert (slept, answer.status_code, answer.json()) == ([7], 401, {"message": "Invalid private key"})


async def test_a_truncated_answer_is_half_of_it(harness: httpx.AsyncClient) -> None:
    whole = await harness.get("/v4/domains")
    await posted(harness, FAULTS, faults=[{"kind": "truncated"}])
    cut = await harness.get("/v4/domains")
    assert cut.content == whole.content[: len(whole.content) // 2]
    assert cut.headers["content-length"] == whole.headers["content-length"]


async def test_a_wrong_content_type_is_all_that_is_wrong(harness: httpx.AsyncClient) -> None:
    whole = await harness.get("/v4/domains")
    await posted(harness, FAULTS, faults=[{"kind": "content_type"}])
    answer = await harness.get("/v4/domains")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.content == whole.content


async def statuses(harness: httpx.AsyncClient, count: int) -> list[int]:
    return [(await harness.get("/v4/domains")).status_code for _ in range(count)]


async def test_the_same_seed_gives_the_same_faults(harness: httpx.AsyncClient) -> None:
    drawn = []
    for seed in (1, 1, 2):
        await posted(harness, FAULTS, faults=[{"kind": "server_error", "rate": 0.5}], seed=seed)
        drawn.append(await statuses(harness, 40))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 5 < drawn[0].count(503) < 35


async def test_a_fault_comes_only_as_often_as_it_should(harness: httpx.AsyncClient) -> None:
    await posted(harness, FAULTS, faults=[{"kind": "server_error", "times": 2}])
    assert await statuses(harness, 4) == [503, 503, 200, 200]
    assert (await harness.delete(FAULTS)).json()["faults"] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"faults": [{"kind": "slwo"}]}, "unknown kind of fault 'slwo': did you mean 'slow'?"),
        ({"faults": [{"kind": "slow", "second": 1}]}, "unknown field of a fault 'second': did you mean 'seconds'?"),
        ({"faults": [{"kind": "slow", "rate": 2}]}, "rate: 2 is not a valid value"),
        (
            {"faults": [{"kind": "slow", "operation": "send_mesage"}]},
            "unknown operation 'send_mesage': did you mean 'send_message'?",
        ),
        (
            {"faults": [{"kind": "timeout"}]},
            "unknown kind of fault 'timeout': choose from "
            "content_type, rate_limited, reset, server_error, slow, truncated, unauthorized",
        ),
        ({"faults": {}}, "faults is not a list of objects"),
        ({"fault": []}, "unknown field 'fault': did you mean 'faults'?"),
        ({"seed": "x", "faults": []}, "seed is not an integer"),
        ({"visible_after": -1}, "visible_after is out of range"),
        (
            {"rate_limits": [{"requests": 1}]},
            "rate_limits is true, false, or a list of {operations, requests, seconds}",
        ),
    ],
)
async def test_a_fault_that_is_not_known_changes_nothing(harness: httpx.AsyncClient, body: Any, text: str) -> None:
    before = (await harness.get(FAULTS)).json()
    answer = await harness.post(FAULTS, json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert (await harness.get(FAULTS)).json() == before


async def test_faults_can_be_on_from_the_start(account: Account) -> None:
    environment = Environment(faults=(Fault("server_error", times=1),))
    async with client(create_app(catalogue(), account=account, environment=environment)) as harness:
        assert await statuses(harness, 2) == [503, 200]
        assert (await harness.get(CLOCK)).status_code == 404


async def test_limits_count_down_and_start_over(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(harness, FAULTS, rate_limits=[{"operations": ["domains"], "requests": 2, "seconds": 60}])
    answers = [await harness.get("/v4/domains") for _ in range(3)]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert (answers[2].status_code, answers[2].headers["retry-after"]) == (429, "60")
    assert "x-ratelimit-limit" not in (await harness.get(f"/v3/{PLAIN}/bounces")).headers
    clock.advance(60)
    assert (await harness.get("/v4/domains")).status_code == 200


async def test_the_documented_limits_hold_when_switched_on(account: Account, clock: ManualClock) -> None:
    async with client(create_app(catalogue(), account=account, environment=Environment(rate_limits=True))) as harness:
        assert set(await statuses(harness, 300)) == {200}
        refused = await harness.get("/v4/domains")
        assert (refused.status_code, refused.json()) == (429, {"retry-seconds": 60})
        assert (await harness.post("/v1/analytics/metrics", json={})).headers["x-ratelimit-limit"] == "500"


async def test_reads_see_a_write_only_after_a_while(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(harness, FAULTS, visible_after=10)
    created = await harness.post(f"/v3/{PLAIN}/bounces", json=[{"address": "late@x.example"}])
    assert created.status_code == 200
    url = f"/v3/{PLAIN}/bounces/late@x.example"
    seen = []
    for _ in range(3):
        seen.append((await harness.get(url)).status_code)
        clock.advance(5)
    assert seen == [404, 404, 200]


async def test_ids_are_the_same_when_they_become_visible(harness: httpx.AsyncClient, clock: ManualClock) -> None:
    await posted(harness, FAULTS, visible_after=10)
    await send(harness, **{"o:deliverytime": mail_date(clock.now() + 3, "+0000")})
    clock.advance(4)
    await harness.get(f"/v3/{PLAIN}/events")
    sent = (await send(harness)).json()["id"].strip("<>")
    assert (await harness.get(f"/v3/{PLAIN}/events")).json()["items"] == []
    clock.advance(10)
    events = (await harness.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"]
    assert [event["event"] for event in events] == ["accepted", "delivered", "accepted", "delivered"]
    assert events[-1]["message"]["headers"]["message-id"] == sent
    await posted(harness, FAULTS, visible_after=0)
    assert (await harness.get(f"/v3/{PLAIN}/events?ascending=yes")).json()["items"] == events


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
