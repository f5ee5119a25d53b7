"""Calls somebody when a call is held: a command or a webhook of the operator's. It tells; it cannot answer.

Whatever goes wrong is logged. A held call stays held, and what a hook says is never a yes.
"""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.output import logs
from mailgun_mcp.policy.model import NotifyRules

if TYPE_CHECKING:
    from anyio.abc import Process

PATIENCE = 10.0
"""Seconds that a hook may take."""
JSON = {"Content-Type": "application/json"}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class HookFailed(Exception):
    """A hook could not be told. The message says why, without what the hook was told."""


async def run_hooks(
    hooks: NotifyRules | None, approval: Approval, *, state: Path | None = None, patience: float = PATIENCE
) -> None:
    """Tell the operator's hooks of a held call; `state` is the directory that the command's `mailgun-mcp` looks into.

    Returns when they are done, or after `patience` seconds. Failures are logged.
    """
    import anyio

    hooks = hooks or NotifyRules()
    message = json.dumps(describe(approval), ensure_ascii=False).encode()
    async with anyio.create_task_group() as tasks:
        if hooks.command is not None:
            tasks.start_soon(_told, "command", _command, hooks.command, message, approval.id, state, patience)
        if hooks.url is not None:
            tasks.start_soon(_told, "url", _webhook, hooks.url, message, patience)


def describe(approval: Approval) -> dict[str, Any]:
    """Return what a hook is told: the call as a person is shown it, and how one answers."""
    name = approval.id
    approve = f"mailgun-mcp approvals approve {name}" + ("" if approval.typed is None else " --typed NAME")
    answer = {
        "show": f"mailgun-mcp approvals show {name}",
        "approve": approve,
        "deny": f"mailgun-mcp approvals deny {name}",
    }
    return {"event": "approval.held", **approval.record, "answer": answer}


async def _told(kind: str, hook: Any, *arguments: Any) -> None:
    try:
        await hook(*arguments)
    except HookFailed as error:
        logs.logger().warning("notification hook failed", hook=kind, error=str(error))


async def _command(command: tuple[str, ...], message: bytes, name: str, state: Path | None, patience: float) -> None:
    """Run the command, never through a shell, in a session of its own; stdout is not the server's to share."""
    import anyio

    from mailgun_mcp.settings import hook_environment

    environment = hook_environment(name, state)
    try:
        process = await anyio.open_process(
            command, stdout=DEVNULL, stderr=None, env=environment, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise HookFailed(f"the command did not start: {error}") from error
    try:
        with anyio.fail_after(patience):
            await _feed(process, message)
            code = await process.wait()
    except TimeoutError as error:
        raise HookFailed(f"the command took more than {patience:g} seconds") from error
    finally:
        with anyio.CancelScope(shield=True):
            _end(process)
            await process.aclose()
    if code:
        raise HookFailed(f"the command ended with exit code {code}")


async def _feed(process: "Process", message: bytes) -> None:
    """A command that does not care to read is none the worse for it."""
    import anyio

    stdin = process.stdin
    if stdin is None:  # pragma: no cover - it is a pipe
        return
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await stdin.send(message)
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await stdin.aclose()


def _end(process: "Process") -> None:
    """End what is left of the command with all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()


async def _webhook(url: str, message: bytes, patience: float) -> None:
    """Post to the URL itself: a redirect could lead anywhere."""
    import anyio
    import httpx

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise HookFailed("the URL is not a URL") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise HookFailed("the URL is not https")
    try:
        with anyio.fail_after(patience):
            async with (
                httpx.AsyncClient(
                    timeout=patience, follow_redirects=False, trust_env=parts.scheme == "https"
                ) as client,
                client.stream("POST", url, content=message, headers=JSON) as response,
            ):
                status = response.status_code
    except TimeoutError as error:
        raise HookFailed(f"the webhook took more than {patience:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise HookFailed(f"the webhook could not be reached: {type(error).__name__}") from error
    if not 200 <= status < 300:
        raise HookFailed(f"the webhook answered with HTTP {status}")
