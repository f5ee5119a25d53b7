"""The tools for a program that runs a model itself: in its provider's format, called through the same stages as MCP."""

from types import TracebackType
from typing import Any, Self

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.app.embedding import principal_named, settings_of
from mailgun_mcp.call.account_choice import shown_tools, usable_accounts
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.catalogue.provider_formats import FORMATS, formatted
from mailgun_mcp.catalogue.types import Arguments, FormatName
from mailgun_mcp.confirm.asker import NOBODY, Asker
from mailgun_mcp.confirm.caller import Caller, quiet
from mailgun_mcp.errors import SettingsError, UnknownToolError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.text.suggest import unknown

CLIENT = "toolkit"
"""Name of the client of these calls in the audit log."""


class Toolkit:
    """The tools of one account, with the server's guard rails: policy, approvals, undo and audit log.

    Takes the server's settings as arguments, such as `Toolkit(preset="sending", policy="strict")`. Those that are not
    passed come from the environment and the configuration file. Use it as an async context manager, or call `aclose`.

    Raises SettingsError, which says what to change.
    """

    def __init__(self, **settings: Any) -> None:
        self._services = create_services(settings_of(settings))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to Mailgun, and write the pending entries of the audit log."""
        await self._services.aclose()

    def tools(
        self, format: FormatName = "json-schema", principal: Principal | str | None = None
    ) -> list[dict[str, Any]]:
        """Return the tools in the format of a provider. Raises SettingsError for an unknown format.

        `principal` is who will call, as in `call`. With several accounts, some principals see the argument `account`.
        """
        if format not in FORMATS:
            raise SettingsError(unknown("format", format, FORMATS))
        tools = shown_tools(self._services.listed_tools, usable_accounts(self._services, principal_named(principal)))
        return [formatted(tool, format) for tool in tools]

    async def call(
        self,
        name: str,
        arguments: Arguments,
        principal: Principal | str | None = None,
        *,
        asker: Asker = NOBODY,
        notify: Notify = quiet,
    ) -> CallResult:
        """Call a tool and return its result. A refused or failed call is a result too: give its text to the model.

        `principal` is the person who asked, as your program authenticated them. Default: the user of this process.
        Never pass what a model or a browser claims about that. If the policy requires confirmation, the call waits for
        an approval, unless `asker` can ask the person.
        """
        caller = Caller(principal_named(principal), client=CLIENT, asker=asker, notify=notify)
        try:
            return await run(self._services, name, arguments, caller)
        except UnknownToolError as error:
            return CallResult(str(error), kind="invalid")
