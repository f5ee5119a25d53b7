"""The approvals channel as a call sees it: a yes that was given for less is no yes."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.confirm.form import NOTHING, Binding, CallDetails, Target, render
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import LEVELS, ConfirmationRules, Decision, Level, NotifyRules
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.store.database import Store
from tests.support.operations import catalogue
from tests.support.state import NOW, asked, request_approval

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("needed", LEVELS)
async def test_a_yes_counts_only_where_no_more_is_asked_of_a_person(store: Store, needed: Level) -> None:
    approval = request_approval(store, asked("typed"))
    Approvals(store).approve(approval.id, by="ann", now=NOW, typed=approval.typed)
    by = await PendingApprovals(store, lambda: NOW, None).consume(asked(needed))
    assert by == ("ann" if needed in ("ask", "typed") else None)


async def test_without_a_state_nobody_approved_anything_and_none_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    assert await PendingApprovals(store, lambda: NOW, None).consume(asked()) is None
    assert not store.directory.exists()


TOLD = "import json, sys; open(sys.argv[1], 'a').write(json.load(sys.stdin)['id'] + '\\n')"


class Calls:
    """Calls that must be approved, and a hook that writes down of which people were notified."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.now = NOW
        self.file = directory / "told"
        hook = NotifyRules(command=(sys.executable, "-S", "-c", TOLD, str(self.file)))
        self.pending = PendingApprovals(store, lambda: self.now, hook)

    async def request(self, tool: str, **arguments: str) -> str:
        operation = catalogue().find(tool)
        request = build(operation, arguments, Files())
        facts = gather(operation, arguments, Context(account="main"), request.digest)
        decision = Decision("confirm", "rule", "it removes something", "approval")
        binding = Binding("ann", "main", tool, request.digest, "policy")
        form = render(Target(facts, decision, NOTHING), request, binding)
        return (await self.pending.request(form, facts, ConfirmationRules())).id

    @property
    def told(self) -> list[str]:
        return self.file.read_text(encoding="utf-8").split() if self.file.exists() else []


@pytest.fixture
def calls(store: Store, tmp_path: Path) -> Calls:
    return Calls(store, tmp_path)


BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


async def test_people_are_notified_once_a_minute_of_one_target_however_many_calls_there_are(calls: Calls) -> None:
    first = await calls.request("delete_bounce", **BOUNCE)
    waiting = [await calls.request("get_bounce", **BOUNCE), await calls.request("delete_complaint", **BOUNCE)]
    other = await calls.request("delete_bounce", **{**BOUNCE, "address": "ben@example.com"})
    assert calls.told == [first, other]
    calls.now += 59
    assert await calls.request("delete_complaint", **BOUNCE) == waiting[1]
    assert calls.told == [first, other]
    calls.now += 2
    assert await calls.request("delete_complaint", **BOUNCE) == waiting[1]
    assert await calls.request("get_bounce", **BOUNCE) == waiting[0]
    assert calls.told == [first, other, waiting[1]]


async def test_people_are_notified_of_one_approval_once(calls: Calls) -> None:
    first = await calls.request("delete_bounce", **BOUNCE)
    for _ in range(3):
        calls.now += 100
        assert await calls.request("delete_bounce", **BOUNCE) == first
    assert calls.told == [first]


async def test_a_clock_that_is_set_back_silences_nobody(calls: Calls) -> None:
    first = await calls.request("delete_bounce", **BOUNCE)
    calls.now -= 86_400
    second = await calls.request("delete_complaint", **BOUNCE)
    assert calls.told == [first, second]


async def test_accounts_do_not_silence_each_other(calls: Calls, store: Store) -> None:
    first = await calls.request("delete_bounce", **BOUNCE)
    elsewhere = Approvals(store).request(
        replace(asked("typed"), call=CallDetails("ann@example.com")),
        tool="delete_bounce",
        title="Delete a bounce",
        account="other",
        principal="ann",
        client="",
        now=NOW,
        ttl=600,
        most=20,
    )
    assert calls.told == [first]
    assert Approvals(store).claim_notification(elsewhere.id, NOW)
