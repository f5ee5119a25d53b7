"""What a caller is told of a call whose result cannot be shown."""

import httpx
import pytest

from mailgun_mcp.call.stopped import stopped, unshown
from mailgun_mcp.errors import Outcome, StateError
from tests.support.calls import BOUNCE, begun, run
from tests.support.recorder import Recorder, recorded_services


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("done", "The call was made, but its result cannot be shown: the server stopped"),
        ("failed", "The call failed and changed nothing"),
        ("unknown", "whether the call took effect is unknown"),
        (None, "whether the call took effect is unknown"),
    ],
)
def test_what_became_of_a_call_is_said(outcome: Outcome | None, told: str) -> None:
    call = begun(recorded_services(Recorder()))
    call.record.begun, call.record.outcome = True, outcome
    assert told in str(stopped(call))


def test_a_call_that_was_not_begun_changed_nothing() -> None:
    call = begun(recorded_services(Recorder()))
    assert "before the call was made; nothing was changed" in str(stopped(call))


def test_only_a_read_is_made_again() -> None:
    services = recorded_services(Recorder())
    assert "Make the call again" in unshown(begun(services, "get_bounce"), "x").next_step
    change = begun(services)
    told = f"Find out what it has done before you make it again. It is recorded as {change.record.call}."
    assert unshown(change, "x").next_step == told


@pytest.mark.anyio
async def test_state_that_fails_after_a_call_does_not_say_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object) -> None:
        raise StateError("the database cannot be reached")

    mailgun = Recorder(lambda _: httpx.Response(200, json={"address": "ann@example.com", "error": "no such user"}))
    async with recorded_services(mailgun) as services:
        monkeypatch.setattr(services.history, "shown_untrusted", broken)
        outcome = await run(services, "get_bounce", BOUNCE)
        assert outcome.text.startswith(
            "The call was made, but its result cannot be shown: the database cannot be reached"
        )
        services.recorder.close()
        assert [call.outcome for call in services.audit_log.calls()] == ["done"]
