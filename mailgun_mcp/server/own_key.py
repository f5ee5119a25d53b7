"""Sends a person without a Mailgun account here to the page where they store their own key (URL-mode elicitation).

The key goes from the browser to the server. Neither the client nor the model sees it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_urlsafe
from typing import Any

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mailgun_mcp.call.account_choice import names_of_choice
from mailgun_mcp.call.personal_accounts import PAGE, PersonalAccounts
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.account_argument import WITHOUT_ACCOUNT
from mailgun_mcp.errors import CallError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.server.context import ServerContext

KEY = "own-mailgun-key"
MESSAGE = (
    "You have no Mailgun account on this server yet. Open the page to store your own Mailgun API key there. "
    "It stays on the server, encrypted, and is used for your calls only."
)
PATIENCE = 60.0
"""Seconds to wait after the person agreed to open the page."""
EVERY = 1.0
"""Seconds between two checks for the key."""


class OwnKey:
    """Asks the person for their own key, if one call needs it."""

    def __init__(
        self,
        services: Services,
        principal: Principal,
        context: ServerContext,
        params: types.CallToolRequestParams,
        notify: Notify,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._services = services
        self._principal = principal
        self._context = context
        self._params = params
        self._notify = notify
        self._sleep = sleep

    async def ask(self) -> types.InputRequiredResult | None:
        """Ask for the key if the call needs one. Return the answer to the call, or None to go on with the call."""
        personal = self._services.personal
        if personal is None or not self._principal.authenticated or not self._can_ask:
            return None
        if self._params.name in WITHOUT_ACCOUNT or not await self._has_none():
            return None
        if self._context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            answer = (self._params.input_responses or {}).get(KEY)
            if answer is None:
                url = types.ElicitRequestURLParams(message=MESSAGE, url=self._url(personal))
                return types.InputRequiredResult(input_requests={KEY: types.ElicitRequest(params=url)})
            if isinstance(answer, types.ElicitResult) and answer.action == "accept":
                await self._wait(personal)
            return None
        await self._pushed(personal)
        return None

    @property
    def _can_ask(self) -> bool:
        """Whether the client says that it can open URLs, and the server can send it one."""
        capabilities = self._context.session.client_capabilities
        elicitation = capabilities.elicitation if capabilities else None
        if elicitation is None or elicitation.url is None:
            return False
        modern = self._context.protocol_version in MODERN_PROTOCOL_VERSIONS
        return modern or self._context.session.can_send_request

    async def _has_none(self) -> bool:
        if not (self._services.accounts or self._services.without_account):
            return False
        return not await names_of_choice(self._services, self._principal)

    async def _pushed(self, personal: PersonalAccounts[Services]) -> None:
        """Send the request. After any error, the call goes on without a key, and its result says so."""
        session, name = self._context.session, token_urlsafe(16)
        with suppress(MCPError, ValueError, TimeoutError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            with anyio.fail_after(self._services.policy.confirmation.ttl):
                answer = await session.elicit_url(
                    MESSAGE, self._url(personal), name, related_request_id=self._context.request_id
                )
            if answer.action == "accept" and await self._wait(personal):
                await session.send_elicit_complete(name, related_request_id=self._context.request_id)

    async def _wait(self, personal: PersonalAccounts[Services]) -> bool:
        """Wait until the person has stored the key, and return whether they did."""
        for _ in range(int(PATIENCE / EVERY)):
            with suppress(CallError):
                if await personal.services_of(self._principal) is not None:
                    return True
            await self._notify("waiting until the key is stored")
            await self._sleep(EVERY)
        return False

    def _url(self, personal: PersonalAccounts[Services]) -> str:
        """Return the URL of the page: under the public URL, or under the address that the client used."""
        if personal.page != PAGE:
            return personal.page
        request: Any = self._context.request
        return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}{PAGE}"
