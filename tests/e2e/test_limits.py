"""What policy asks of what happened before: untrusted text, recipients by the hour, duplicates, mailing lists."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.counters import Sends, Untrusted
from mailgun_mcp.call.results import CallResult, Owner
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.store.database import Store
from tests.support.arguments import minimal
from tests.support.calls import LOCAL, run
from tests.support.empty_lists import empty_lists
from tests.support.operations import catalogue, find
from tests.support.policies import policy
from tests.support.recorder import Clock, Recorder, recorded_services

pytestmark = pytest.mark.anyio

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
HELD = "Pending approval "
BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
UNTRUSTED = {"address": "ann@example.com", "error": "no such user"}
SEND = "POST /v3/mg.example.com/messages"


def mail(*to: str, **more: Any) -> dict[str, Any]:
    sender = {"domain": "mg.example.com", "from": "me@mg.example.com"}
    return {**sender, "to": list(to), "subject": "Hi", "text": "Hello", **more}


def people_(number: int) -> list[str]:
    return [f"person{index}@example.com" for index in range(number)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder(lambda line: httpx.Response(200, json=UNTRUSTED if "/bounces/" in line else empty_lists()))


@pytest.fixture
def services(mailgun: Recorder, clock: Clock) -> Services:
    return recorded_services(mailgun, clock=clock)


async def send(services: Services, *to: str, caller: Caller = LOCAL, **more: Any) -> CallResult:
    return await run(services, "send_message", mail(*to, **more), caller)


def is_pending(outcome: CallResult) -> bool:
    return outcome.kind == "refused" and outcome.text.startswith(HELD)


def asked_because(services: Services) -> str:
    return next(
        line for line in services.approvals.list(services.clock())[-1].text.splitlines() if "Asked because" in line
    )


# Untrusted text


DANGEROUS = [
    *(o.name for o in catalogue() if o.risk in ("send", "destructive")),
    *("create_route", "create_domain_webhook", "create_account_webhook"),
]


@pytest.mark.parametrize("tool", DANGEROUS)
async def test_after_untrusted_text_what_could_do_harm_needs_a_yes(
    tool: str, services: Services, mailgun: Recorder
) -> None:
    await run(services, "get_bounce", BOUNCE)
    mailgun.lines.clear()
    arguments = {**minimal(find(tool)), **({"action": ["forward('x@evil.example')"]} if tool == "create_route" else {})}
    assert is_pending(await run(services, tool, arguments))
    assert mailgun.changes == []
    assert "third-party text was shown in this session" in services.approvals.list(services.clock())[0].text


async def test_it_is_remembered_until_a_person_clears_it(services: Services, mailgun: Recorder, clock: Clock) -> None:
    assert (await send(services, "ann@example.com")).kind == "done"
    await run(services, "get_bounce", BOUNCE)
    clock.now += 30 * DAY
    assert is_pending(await send(services, "ann@example.com"))
    assert Untrusted(services.store).clear() == ["local"]
    assert (await send(services, "ann@example.com")).kind == "done"
    await run(services, "get_bounce", BOUNCE)
    assert is_pending(await send(services, "ann@example.com"))
    assert mailgun.changes == [SEND, SEND]


async def test_a_restarted_server_remembers_it_for_a_day(services: Services, clock: Clock) -> None:
    await run(services, "get_bounce", BOUNCE)
    clock.now += DAY
    assert is_pending(await send(replace(services), "ann@example.com"))
    clock.now += 1
    assert (await send(replace(services), "ann@example.com")).kind == "done"


async def test_each_caller_has_read_what_they_have_read(services: Services) -> None:
    await run(services, "get_bounce", BOUNCE, Caller(Principal("ann")))
    assert is_pending(await send(services, "x@example.com", caller=Caller(Principal("ann"))))
    assert (await send(services, "x@example.com", caller=Caller(Principal("ben")))).kind == "done"


async def test_another_process_of_the_caller_knows(services: Services) -> None:
    await run(services, "get_bounce", BOUNCE)
    other = replace(services)
    assert other.history is not services.history
    assert is_pending(await send(other, "x@example.com"))


async def test_reading_on_in_a_kept_result_is_reading(services: Services) -> None:
    owner = Owner(LOCAL.principal.id, (await services.account.current(changes=False)).key)
    name = services.results.keep(
        "⟦abcd1234 third party⟧ somebody wrote it ⟦abcd1234⟧", boundary="abcd1234", owner=owner
    )
    await run(services, "read_result", {"result": name})
    assert is_pending(await send(services, "x@example.com"))


async def test_a_result_without_such_text_changes_nothing(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json={**empty_lists(), "address": "ann@example.com", "code": "550"})
    await run(services, "get_bounce", BOUNCE)
    assert (await send(services, "x@example.com")).kind == "done"


# Recipients by the hour

FIVE = policy("extends: guarded\nsend: {recipients_per_hour: 5}\n")


def refused(outcome: CallResult, rule: str) -> bool:
    return outcome.kind == "refused" and outcome.text.startswith(f"Refused by policy (send/{rule}): ")


async def test_the_recipients_of_one_principal_do_not_count_for_another(mailgun: Recorder, tmp_path: Path) -> None:
    rules = policy("extends: unguarded\nsend: {principal_recipients_per_hour: 2}\n")
    first, second = (recorded_services(mailgun, state=tmp_path / "state", policy=rules) for _ in range(2))
    ann, ben = Caller(Principal("ann")), Caller(Principal("ben"))
    assert (await send(first, *people_(2), caller=ann)).kind == "done"
    assert refused(await send(second, "x@example.com", caller=ann), "principal_recipients_per_hour")
    assert (await send(second, *people_(2), caller=ben)).kind == "done"


CALLS = policy("extends: unguarded\nlimits: {principal_calls_per_hour: 3}\n")


async def test_calls_of_one_principal_are_limited_by_the_hour(mailgun: Recorder, tmp_path: Path, clock: Clock) -> None:
    first, second = (recorded_services(mailgun, state=tmp_path / "state", policy=CALLS, clock=clock) for _ in range(2))
    ann, ben = Caller(Principal("ann")), Caller(Principal("ben"))
    for services in (first, second, first):
        assert (await run(services, "list_domains", {}, ann)).kind == "done"
        clock.now += 10 * MINUTE
    for tool, arguments in (("list_domains", {}), ("delete_bounce", BOUNCE)):
        refusal = await run(second, tool, arguments, ann)
        assert "limits/principal_calls_per_hour" in refusal.text
    assert (await run(second, "delete_bounce", BOUNCE, ben)).kind == "done"
    clock.now += 31 * MINUTE
    assert (await run(second, "list_domains", {}, ann)).kind == "done"
    assert "limits/" in (await run(second, "list_domains", {}, ann)).text


async def test_calls_at_the_same_moment_do_not_pass_the_limit_together(services: Services) -> None:
    both = [replace(services, policy=CALLS), replace(services, policy=CALLS)]
    outcomes = await asyncio.gather(*(run(both[n % 2], "list_domains", {}) for n in range(8)))
    assert sorted(outcome.kind for outcome in outcomes) == ["done"] * 3 + ["refused"] * 5


async def test_a_call_that_mailgun_refused_does_not_count(services: Services, mailgun: Recorder) -> None:
    services = replace(services, policy=CALLS)
    mailgun.answer = lambda _: httpx.Response(400, json={"message": "no"})
    for _ in range(5):
        assert (await run(services, "list_domains", {})).kind == "failed"


async def test_the_steps_of_an_undo_do_not_count(services: Services, mailgun: Recorder, clock: Clock) -> None:
    services = replace(services, policy=policy("extends: unguarded\nlimits: {principal_calls_per_hour: 1}\n"))
    mailgun.answer = lambda line: httpx.Response(200, json=UNTRUSTED if line.startswith("GET") else empty_lists())
    done = await run(services, "delete_bounce", BOUNCE)
    assert done.structured is not None, done.text
    undo = {"id": done.structured["undo"]["id"]}
    assert "limits/" in (await run(services, "undo_operation", undo)).text
    clock.now += 61 * MINUTE
    mailgun.answer = lambda line: httpx.Response(404 if line.startswith("GET") else 200, json=empty_lists())
    assert (await run(services, "undo_operation", undo)).kind == "done"
    mailgun.answer = lambda _: httpx.Response(200, json=empty_lists())
    assert (await run(services, "list_domains", {})).kind == "done"


async def test_recipients_are_counted_by_the_hour(services: Services, mailgun: Recorder, clock: Clock) -> None:
    services = replace(services, policy=FIVE)
    assert (await send(services, *people_(3))).kind == "done"
    clock.now += 30 * MINUTE
    assert (await send(services, *people_(2))).kind == "done"
    assert refused(await send(services, "one@example.com"), "recipients_per_hour")
    clock.now += 30 * MINUTE
    assert (await send(services, *people_(3))).kind == "done"
    assert refused(await send(services, "one@example.com"), "recipients_per_hour")
    assert mailgun.changes == [SEND] * 3


async def test_many_small_sends_ask_a_person(services: Services, mailgun: Recorder, clock: Clock) -> None:
    outcomes = [await send(services, *people_(10), subject=str(number)) for number in range(6)]
    assert [outcome.kind for outcome in outcomes] == ["done"] * 5 + ["refused"]
    assert outcomes[-1].text.startswith("Pending approval")
    clock.now += 61 * MINUTE
    assert (await send(services, *people_(10))).kind == "done"
    assert mailgun.changes == [SEND] * 6


async def test_small_sends_at_the_same_moment_do_not_pass_the_limit_together(
    services: Services, mailgun: Recorder
) -> None:
    both = [services, replace(services)]
    outcomes = await asyncio.gather(*(send(both[n % 2], *people_(10), subject=str(n)) for n in range(8)))
    assert sorted(outcome.kind for outcome in outcomes) == ["done"] * 5 + ["refused"] * 3
    assert mailgun.changes == [SEND] * 5


async def test_all_processes_and_callers_count_together(services: Services) -> None:
    services = replace(services, policy=FIVE)
    await send(services, *people_(5))
    other = replace(services)
    other.store  # noqa: B018 - a connection of its own
    assert refused(await send(other, "x@example.com", caller=Caller(Principal("ben"))), "recipients_per_hour")


@pytest.mark.parametrize(
    ("status", "counts"),
    [pytest.param(400, False, id="refused-by-mailgun"), pytest.param(503, True, id="nobody-knows")],
)
async def test_a_send_counts_unless_it_is_known_not_to_have_been_made(
    status: int, counts: bool, services: Services, mailgun: Recorder
) -> None:
    services = replace(services, policy=FIVE)
    mailgun.answer = lambda line: httpx.Response(status if line == SEND else 200, json=empty_lists())
    assert (await send(services, *people_(5))).kind == "failed"
    mailgun.answer = lambda _: httpx.Response(200, json=empty_lists())
    assert refused(await send(services, "x@example.com"), "recipients_per_hour") is counts


@pytest.mark.parametrize("apps", [1, 2], ids=["one-process", "two-processes"])
async def test_sends_at_the_same_moment_keep_to_one_limit(apps: int, services: Services, mailgun: Recorder) -> None:
    services = replace(services, policy=FIVE)
    both = [services, *(replace(services) for _ in range(apps - 1))]
    outcomes = await asyncio.gather(*(send(both[index % apps], *people_(2), subject=str(index)) for index in range(6)))
    assert sorted(outcome.kind for outcome in outcomes) == ["done"] * 2 + ["refused"] * 4
    assert all(refused(outcome, "recipients_per_hour") for outcome in outcomes if outcome.kind == "refused")
    assert mailgun.changes == [SEND, SEND]
    assert Sends(Store(services.state)).recipients_since((await services.account.current(changes=False)).id, 0) == 4


# Duplicates

WINDOW = policy("extends: guarded\nsend: {duplicate_window: 10m}\n")


async def test_the_same_message_again_is_asked_about(services: Services, mailgun: Recorder, clock: Clock) -> None:
    services = replace(services, policy=WINDOW)
    assert (await send(services, "ann@example.com")).kind == "done"
    clock.now += 60
    assert is_pending(await send(services, "ann@example.com"))
    assert asked_because(services) == "Asked because the same message was sent 1 minute ago (send/duplicate_window)."
    assert (await send(services, "ann@example.com", subject="Another")).kind == "done"
    clock.now += 10 * MINUTE
    assert (await send(services, "ann@example.com")).kind == "done"
    assert mailgun.changes == [SEND] * 3


async def test_the_same_message_twice_at_the_same_moment_is_sent_once(services: Services, mailgun: Recorder) -> None:
    services = replace(services, policy=WINDOW)
    outcomes = await asyncio.gather(*(send(services, "ann@example.com") for _ in range(4)))
    assert sorted(outcome.kind for outcome in outcomes) == ["done", "refused", "refused", "refused"]
    assert mailgun.changes == [SEND]


# Mailing lists

LISTS = {
    "items": [
        {"address": "news@mg.example.com", "members_count": 50},
        {"address": "few@mg.example.com", "members_count": 3},
    ]
}


def lists(status: int = 200) -> Callable[[str], httpx.Response]:
    def answer(line: str) -> httpx.Response:
        if "/members" in line:
            name, count = ("news", 50) if "news" in line else ("few", 3)
            members = [{"address": f"{name}{number}@example.com"} for number in range(count)]
            return httpx.Response(200, json={"items": members, "total_count": count})
        return httpx.Response(status, json=LISTS) if "/v3/lists" in line else httpx.Response(200, json=empty_lists())

    return answer


@pytest.mark.parametrize(
    ("to", "asked"),
    [
        pytest.param(["news@mg.example.com"], True, id="a-large-list"),
        pytest.param(["News <NEWS@MG.example.com>"], True, id="written-otherwise"),
        pytest.param(["few@mg.example.com"], False, id="a-small-list"),
        pytest.param(["few@mg.example.com", *people_(8)], True, id="a-small-list-and-others"),
        pytest.param(people_(10), False, id="ten-people"),
        pytest.param(people_(11), True, id="eleven-people"),
    ],
)
@pytest.mark.parametrize("place", ["to", "cc", "bcc"])
async def test_a_send_to_a_list_is_a_send_to_its_members(
    place: str, to: list[str], asked: bool, services: Services, mailgun: Recorder
) -> None:
    mailgun.answer = lists()
    given = mail(*to) if place == "to" else mail("few@mg.example.com" if to != people_(10) else to[0], **{place: to})
    expected = asked
    outcome = await run(services, "send_message", given)
    assert (is_pending(outcome), mailgun.changes) == (expected, [] if expected else [SEND])


async def test_the_lists_are_read_for_every_send(services: Services, mailgun: Recorder) -> None:
    for _ in range(3):
        await send(services, "ann@example.com")
    assert [line for line in mailgun.lines if "/lists" in line] == ["GET /v3/lists?limit=100"] * 3


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_lists_that_cannot_be_read_keep_a_send_from_being_made(
    status: int, services: Services, mailgun: Recorder
) -> None:
    mailgun.answer = lists(status)
    outcome = await send(services, "news@mg.example.com")
    assert (outcome.kind, mailgun.changes) == ("failed", [])
    assert outcome.text.startswith("send_message was not called: the size of the mailing lists cannot be read. ")


BAD_LISTS: dict[str, Any] = {
    "text": "none",
    "no-address": {"items": [{"members_count": 1}]},
    "a-list": [],
    "items-of-text": {"items": ["news@mg.example.com"]},
    "count-of-text": {"items": [{"address": "news@mg.example.com", "members_count": "many"}]},
    "items-an-object": {"items": {"a": 1}},
}


@pytest.mark.parametrize("body", BAD_LISTS.values(), ids=BAD_LISTS)
async def test_lists_that_make_no_sense_keep_a_send_from_being_made(
    body: Any, services: Services, mailgun: Recorder
) -> None:
    mailgun.answer = lambda _: httpx.Response(200, json=body)
    outcome = await send(services, "news@mg.example.com")
    assert (outcome.kind, mailgun.changes) == ("failed", [])


async def test_the_limit_by_the_hour_counts_members(services: Services, mailgun: Recorder) -> None:
    mailgun.answer = lists()
    rules: Policy = policy("extends: unguarded\nsend: {recipients_per_hour: 52}\n")
    services = replace(services, policy=rules)
    assert (await send(services, "news@mg.example.com")).kind == "done"
    assert refused(await send(services, "few@mg.example.com"), "recipients_per_hour")
