"""Processes and callers that reach for the last of something at the same moment: what is counted stays below its limit."""

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.counters import Sends
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import NotConfirmedError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from tests.support.calls import run
from tests.support.empty_lists import empty_lists
from tests.support.engines import on_both_engines
from tests.support.policies import policy
from tests.support.racers import racing_context
from tests.support.recorder import Recorder, recorded_services
from tests.support.state import NOW, PATIENCE, asked, request_approval

MOST = 20
PROCESSES = 2
PEOPLE = ("ann", "ben")
HOUR = policy("extends: unguarded\nsend: {recipients_per_hour: 7}\n")


def at_once(work: Any, *arguments: Any) -> list[Any]:
    """Return what `work` returns in each of the processes, which all begin together."""
    context = racing_context()
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    racers = [context.Process(target=_race, args=(work, arguments, barrier, results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    returned = [results.get(timeout=PATIENCE) for _ in racers]
    for racer in racers:
        racer.join(PATIENCE)
    results.close()
    return returned


def _race(work: Any, arguments: Any, barrier: Any, results: Any) -> None:
    barrier.wait(PATIENCE)
    results.put(work(*arguments))


def ask_for_both(directory: Path, url: str | None) -> dict[str, int]:
    """Ask for more approvals of each principal than may wait, and return how many were taken."""
    store = open_store(directory, url)
    taken = dict.fromkeys(PEOPLE, 0)
    for number in range(MOST):
        for principal in PEOPLE:
            try:
                request_approval(store, asked(request=f"{os.getpid()} {number}", principal=principal), most=MOST)
                taken[principal] += 1
            except NotConfirmedError:
                pass
    store.close()
    return taken


@on_both_engines
def test_no_principal_has_more_approvals_waiting_than_may_wait_and_none_takes_the_others_room(
    store: Store, state_url: str | None
) -> None:
    taken = at_once(ask_for_both, store.directory, state_url)
    assert {principal: sum(one[principal] for one in taken) for principal in PEOPLE} == dict.fromkeys(PEOPLE, MOST)
    pending = [approval.principal for approval in Approvals(store).list(NOW)]
    assert {principal: pending.count(principal) for principal in PEOPLE} == dict.fromkeys(PEOPLE, MOST)


def send_as_both(directory: Path) -> tuple[int, list[str]]:
    """Send to two people at a time as one principal and then as the other, and return how many messages left."""

    async def sends() -> tuple[int, list[str]]:
        mailgun = Recorder(
            lambda _: httpx.Response(200, json={**empty_lists(), "id": "<1@mg.example.com>", "message": "Queued"})
        )
        services = recorded_services(mailgun, state=directory, policy=HOUR)
        reasons = []
        for number in range(4):
            for principal in PEOPLE:
                mail = {"domain": "mg.example.com", "from": "a@mg.example.com", "subject": f"{os.getpid()} {number}"}
                to = [f"{principal}{number}@x.example", f"{principal}{number}@y.example"]
                outcome = await run(
                    services, "send_message", {**mail, "to": to, "text": "t"}, Caller(Principal(principal))
                )
                reasons += [outcome.text] if outcome.is_error else []
        left = len(mailgun.changes)
        await services.aclose()
        return left, reasons

    return asyncio.run(sends())


@pytest.mark.slow
def test_two_principals_in_two_processes_share_the_recipients_of_an_hour(tmp_path: Path) -> None:
    returned = at_once(send_as_both, tmp_path / "state")
    sent = sum(left for left, _ in returned)
    assert 2 * sent <= 7
    assert sent == 3
    assert all("recipients_per_hour" in reason for _, reasons in returned for reason in reasons)
    store = Store(tmp_path / "state")
    with store.reading() as connection:
        (account,) = {row["account"] for row in connection.execute("SELECT account FROM sends")}
    assert Sends(store).recipients_since(account, 0) == 6
    store.close()
