"""Notifies people of a pending approval, through a command or webhook of the operator. A hook cannot answer.

Failures are logged. The approval stays pending, and nothing that a hook returns counts as a yes.
"""

import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.output import logs
from mailgun_mcp.policy.model import NotifyRules
from mailgun_mcp.settings import hook_environment, shell_command
from mailgun_mcp.text.host_names import LOOPBACK

if TYPE_CHECKING:
    from anyio.abc import Process

PATIENCE = 10.0
"""How long a hook may take, in seconds."""
JSON = {"Content-Type": "application/json"}


class HookFailed(Exception):
    """A hook failed. The message says why, without repeating what was sent to the hook."""


async def run_hooks(
    hooks: NotifyRules | None, approval: Approval, *, state: Path | None = None, patience: float = PATIENCE
) -> None:
    """Run the operator's hooks for a pending approval. `state` is the state directory for the command.

    Returns when they have finished, or after `patience` seconds. Failures are logged.
    """
    import anyio

    hooks = hooks or NotifyRules()
    message = json.dumps(describe(approval, state), ensure_ascii=False).encode()
    async with anyio.create_task_group() as tasks:
        if hooks.command is not None:
            tasks.start_soon(_run, "command", _command, hooks.command, message, approval.id, state, patience)
        if hooks.url is not None:
            tasks.start_soon(_run, "url", post, hooks.url, message, JSON, patience)


def describe(approval: Approval, state: Path | None = None) -> dict[str, Any]:
    """Return what a hook receives: the call as a person sees it, and the commands that answer it in a terminal.

    If a name must be typed, `approve` asks for it.
    """
    answer = {
        action: shell_command("approvals", action, approval.id, state=state) for action in ("show", "approve", "deny")
    }
    return {"event": "approval.pending", **approval.record, "answer": answer}


async def _run(kind: str, hook: Any, *arguments: Any) -> None:
    try:
        await hook(*arguments)
    except HookFailed as error:
        logs.logger().warning("notification hook failed", hook=kind, error=str(error))


async def _command(command: tuple[str, ...], message: bytes, name: str, state: Path | None, patience: float) -> None:
    """Run the command without a shell, in a separate session, and without access to the server's stdout."""
    import anyio

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
    """Write to the command's standard input; the command need not read it."""
    import anyio

    stdin = process.stdin
    if stdin is None:  # pragma: no cover - it is a pipe
        return
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await stdin.send(message)
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await stdin.aclose()


def _end(process: "Process") -> None:
    """Kill the command and whatever it started, if it is still running."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()


async def post(url: str, message: bytes, headers: Mapping[str, str], patience: float = PATIENCE) -> None:
    """Post to exactly this URL: a redirect could lead anywhere. Raises HookFailed."""
    import anyio
    import httpx

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise HookFailed("the URL is not valid") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise HookFailed("the URL must start with https://")
    try:
        with anyio.fail_after(patience):
            async with (
                httpx.AsyncClient(
                    timeout=patience, follow_redirects=False, trust_env=parts.scheme == "https"
                ) as client,
                client.stream("POST", url, content=message, headers=dict(headers)) as response,
            ):
                status = response.status_code
    except TimeoutError as error:
        raise HookFailed(f"the webhook took more than {patience:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise HookFailed(f"the webhook could not be reached: {type(error).__name__}") from error
    if not 200 <= status < 300:
        raise HookFailed(f"the webhook answered with HTTP {status}")
