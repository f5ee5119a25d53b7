"""When a server stops, it ends its calls, and their callers are answered."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from tests.support.calls import BOUNCE, run
from tests.support.upstream import Upstream, hangs, says

pytestmark = pytest.mark.anyio
PATIENCE = 20


@pytest.fixture
def services(upstream: Upstream, tmp_path: Path) -> Services:
    return create_services(Settings(state=str(tmp_path), api_key="key-0123", url=upstream.url, policy="unguarded"))


def begin(
    services: Services, upstream: Upstream, tool: str, arguments: dict[str, Any] = BOUNCE, *, earlier: int = 0
) -> tuple["asyncio.Task[CallResult]", asyncio.Event]:
    """Begin a call whose request after `earlier` others is not answered, and return an event for that request."""
    begun = asyncio.Event()
    for _ in range(earlier):
        upstream.then(says({"address": "ann@example.com"}))
    upstream.then(hangs(begun, asyncio.Event()))
    return asyncio.ensure_future(run(services, tool, arguments)), begun


async def ended(services: Services, call: "asyncio.Task[CallResult]", begun: asyncio.Event) -> CallResult:
    """Stop the server in the middle of the call, and return what the caller is told."""
    with anyio.fail_after(PATIENCE):
        await begun.wait()
        assert len(services.running) == 1
        services.running.stop()
        services.running.stop()
        return await call


async def outcomes(services: Services) -> list[str]:
    services.recorder.close()
    return [call.outcome for call in services.audit_log.calls()]


async def test_a_call_that_was_sent_is_unknown_and_keeps_its_copy(services: Services, upstream: Upstream) -> None:
    async with services:
        result = await ended(services, *begin(services, upstream, "delete_bounce", earlier=1))
        assert result.kind == "failed"
        assert "stopped before Mailgun answered: whether the call took effect is unknown" in result.text
        assert f"It is recorded as {result.call}. If it took effect, undo_operation with this id" in result.text
        assert not services.running
        assert await outcomes(services) == ["unknown"]


async def test_a_call_that_was_not_sent_says_so(services: Services, upstream: Upstream) -> None:
    async with services:
        result = await ended(services, *begin(services, upstream, "delete_bounce"))
        assert "stopped before the call was made; nothing was changed. Make the call again" in result.text
        assert [line.partition(" ")[0] for line in upstream.lines] == ["GET"]
        assert await outcomes(services) == ["failed"]


async def test_a_read_can_be_made_again(services: Services, upstream: Upstream) -> None:
    async with services:
        result = await ended(services, *begin(services, upstream, "get_bounce"))
        assert "stopped before Mailgun answered. Make the call again" in result.text
        assert await outcomes(services) == ["failed"]


async def test_a_workflow_ends_with_all_its_parts(services: Services, upstream: Upstream) -> None:
    async with services:
        call, begun = begin(services, upstream, "deliverability_report", {"domain": "mg.example.com"})
        with anyio.fail_after(PATIENCE):
            await begun.wait()
            services.running.stop()
            result = await call
        assert "stopped in the middle of the call" in result.text
        assert not services.running


async def test_a_task_that_was_told_goes_on(services: Services, upstream: Upstream) -> None:
    async def calls_and_more() -> str:
        result = await run(services, "get_bounce", BOUNCE)
        await asyncio.sleep(0)
        return f"{result.kind} and more"

    async with services:
        begun = asyncio.Event()
        upstream.then(hangs(begun, asyncio.Event()))
        task = asyncio.ensure_future(calls_and_more())
        await begun.wait()
        services.running.stop()
        assert await task == "failed and more"


async def test_who_cancels_a_call_is_told_nothing(services: Services, upstream: Upstream) -> None:
    async with services:
        call, begun = begin(services, upstream, "get_bounce")
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not services.running


@pytest.mark.parametrize("stop_first", [True, False])
async def test_a_call_that_is_stopped_and_cancelled_ends(
    services: Services, upstream: Upstream, stop_first: bool
) -> None:
    async with services:
        call, begun = begin(services, upstream, "get_bounce")
        await begun.wait()
        for end in (services.running.stop, call.cancel) if stop_first else (call.cancel, services.running.stop):
            end()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not services.running


async def test_an_error_that_is_being_recorded_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, go_on = asyncio.Event(), asyncio.Event()
    finish = services.recorder.finish

    async def slowly(*args: Any, **kwargs: Any) -> None:
        recording.set()
        await go_on.wait()
        await finish(*args, **kwargs)

    monkeypatch.setattr(services.recorder, "finish", slowly)
    async with services:
        call = asyncio.ensure_future(run(services, "get_bounce", {}))
        with anyio.fail_after(PATIENCE):
            await recording.wait()
            services.running.stop()
            go_on.set()
            assert (await call).kind == "invalid"
        assert await outcomes(services) == ["invalid"]
