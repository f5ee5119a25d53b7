"""Asks the person at the client through elicitation.

Since 2026-07-28, the question is returned as the call's result, with a sealed state. Before, it is sent as a request.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_urlsafe

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mailgun_mcp.confirm.asker import FormAnswer, read_answer
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.server.context import ServerContext

Burn = Callable[[str], Awaitable[bool]]

KEY = "confirmation"
REMINDER = 1.0
"""Seconds between two progress reports. Some clients give up after two seconds without one."""


class InputRequired(Exception):
    """Ends the call for now with a question. A client of the 2026-07-28 era shows it to the person and calls again."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("input required")
        self.result = result


class Elicitation:
    """The person at the client who makes one call.

    `burn` uses up a nonce, and returns whether this was its first use in any process.
    """

    def __init__(
        self, context: ServerContext, params: types.CallToolRequestParams, burn: Burn, notify: Notify = quiet
    ) -> None:
        self._context = context
        self._params = params
        self._burn = burn
        self._notify = notify
        self._answered = False

    @property
    def can_ask(self) -> bool:
        """Whether the client says that it can show a form, and the server can send it one."""
        capabilities = self._context.session.client_capabilities
        if not takes_forms(capabilities.elicitation if capabilities else None):
            return False
        return self._modern or self._context.session.can_send_request

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Ask, and return what the person's answer means. Raises InputRequired if the question is the call's result."""
        return await self._returned(form) if self._modern else await self._pushed(form, patience)

    @property
    def _modern(self) -> bool:
        return self._context.protocol_version in MODERN_PROTOCOL_VERSIONS

    async def _pushed(self, form: Form, patience: float) -> FormAnswer:
        """Report progress while waiting: a client that hears nothing may give up on the call."""
        async with anyio.create_task_group() as reports:
            reports.start_soon(self._report_waiting)
            result = await self._sent(form, patience)
            reports.cancel_scope.cancel()
        return result

    async def _report_waiting(self) -> None:
        with suppress(MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while True:
                await anyio.sleep(REMINDER)
                await self._notify("waiting for the person's answer")

    async def _sent(self, form: Form, patience: float) -> FormAnswer:
        """Send the question and wait for the answer. Any error on the way counts as a no."""
        try:
            with anyio.fail_after(patience):
                answer = await self._context.session.elicit_form(
                    form.text, form.schema, related_request_id=self._context.request_id
                )
        except TimeoutError:
            return FormAnswer("timeout")
        except (MCPError, ValueError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return FormAnswer("broken")
        return read_answer(form, answer.action, answer.content)

    async def _returned(self, form: Form) -> FormAnswer:
        """Read the answer that comes with the repeated call. The sealed state says which question it answers, once."""
        state = _state(self._params.request_state)
        answer = (self._params.input_responses or {}).get(KEY)
        if state is None or answer is None or self._answered:
            raise InputRequired(_question(form))
        self._answered = True
        if not isinstance(answer, types.ElicitResult):
            return FormAnswer("unknown")
        if state["binding"] != form.binding.digest:
            return FormAnswer("other")
        if not await self._burn(state["nonce"]):
            return FormAnswer("replay")
        if state["preview"] != form.preview:
            raise InputRequired(_question(form.again))
        return read_answer(form, answer.action, answer.content)


def takes_forms(elicitation: types.ElicitationCapability | None) -> bool:
    """Return whether a client with this capability can show a form."""
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _question(form: Form) -> types.InputRequiredResult:
    state = {"binding": form.binding.digest, "preview": form.preview, "nonce": token_urlsafe(16)}
    params = types.ElicitRequestFormParams(message=form.text, requested_schema=form.schema)
    return types.InputRequiredResult(
        input_requests={KEY: types.ElicitRequest(params=params)}, request_state=json.dumps(state)
    )


def _state(text: str | None) -> dict[str, str] | None:
    """Return the state. The SDK has verified its seal, so this server or an older release of it made it."""
    try:
        state = json.loads(text or "null")
    except ValueError:
        return None
    return state if isinstance(state, dict) and state.keys() >= {"binding", "preview", "nonce"} else None
