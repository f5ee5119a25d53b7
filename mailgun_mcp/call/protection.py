"""Withholds keys and passwords from the model, and marks third-party text."""

import json
import secrets
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from mailgun_mcp.call.results import NO_OWNER, Owner, Results
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.account import Account
from mailgun_mcp.output.logs import logger, withhold
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.store.database import Store, in_thread

if TYPE_CHECKING:
    from mailgun_mcp.call.secret_store import SecretStore
    from mailgun_mcp.call.shared_secret_store import SharedSecretStore


Value = TypeVar("Value", str, list[str], dict[str, Any])
URL_TOOLSETS = frozenset({"webhooks", "routes", "alerts", "domains"})
"""Toolsets whose results contain URLs set by the account's owner. Such a URL can hold a secret of another service."""


class Protection:
    """Removes secrets from results and marks untrusted text before a model reads them."""

    def __init__(self, policy: Policy, state: Store, results: Results, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._state = state
        self._results = results
        self._clock = clock

    async def generate_passwords(
        self, operation: Operation, arguments: Arguments, account: Account
    ) -> tuple[Arguments, dict[str, str]]:
        """Return the arguments with generated passwords, and the reference of each password by JSON pointer.

        Raises StateError, before anything is sent, if a password or secret of the call could not be stored.
        """
        if operation.risk != "read" and self._withholds(operation):
            await in_thread(self._store.prepare)
        if not any(argument.secret for argument in operation.arguments):
            return arguments, {}
        from mailgun_mcp.output.passwords import fill

        filled, generated = fill(operation, arguments, secrets.choice)
        return filled, {
            pointer: await in_thread(self._keep, operation, pointer, value, account)
            for pointer, value in generated.items()
        }

    def apply(
        self,
        operation: Operation,
        result: dict[str, Any],
        account: Account,
        whole: dict[str, Any] | None = None,
        *,
        owner: Owner = NO_OWNER,
    ) -> tuple[dict[str, Any], bool]:
        """Return the result as the model may see it, and whether it contains third-party text.

        `owner` is who may read that text as it was sent.
        """
        if self._withholds(operation):
            result = self._withhold(operation, result, account)
        if self._policy.secrets == "withhold" and operation.toolset in URL_TOOLSETS:
            result = self._withhold_in_urls(operation, result, account)
        return self._mark(operation, result, whole, owner)

    def without_url_secrets(self, value: Value) -> Value:
        """Return the server's own text, or a value with such texts in it, without the secrets of the URLs in it."""
        from mailgun_mcp.output.url_secrets import hide_all, recognisable

        changed: Value = hide_all(value, recognisable)
        return changed

    def fence_in_text(self, text: str, quoted: Iterable[str]) -> str:
        """Return the text of an error with the quoted parts fenced, and the notice about it."""
        from mailgun_mcp.output.authors import THIRD_PARTY
        from mailgun_mcp.output.quotes import fence_quotes
        from mailgun_mcp.output.untrusted import notice

        boundary = secrets.token_hex(4)
        fenced = fence_quotes(text, quoted, boundary, THIRD_PARTY)
        return text if fenced == text else f"{fenced}\n{notice(boundary)['meaning']}"

    def fence_in_result(self, result: dict[str, Any], quoted: Iterable[str]) -> dict[str, Any]:
        """Return the server's own result, or other data, with the quoted parts fenced."""
        from mailgun_mcp.output.authors import THIRD_PARTY
        from mailgun_mcp.output.quotes import fence_quotes
        from mailgun_mcp.output.untrusted import NOTICE, notice

        boundary = secrets.token_hex(4)
        return {NOTICE: notice(boundary), **fence_quotes(result, quoted, boundary, THIRD_PARTY)}

    def _withholds(self, operation: Operation) -> bool:
        return self._policy.secrets == "withhold" and bool(operation.secrets or operation.risk == "credential")

    @cached_property
    def _store(self) -> "SecretStore | SharedSecretStore":
        from mailgun_mcp.call.shared_secret_store import secrets_of

        return secrets_of(self._state)

    def _keep(self, operation: Operation, pointer: str, value: str, account: Account) -> str:
        withhold(value)
        return self._store.keep(value, tool=operation.name, place=pointer, account=account.key, now=self._clock())

    def _withhold_in_urls(self, operation: Operation, result: dict[str, Any], account: Account) -> dict[str, Any]:
        from mailgun_mcp.output.url_secrets import hide_all

        def withheld(secret: str) -> str:
            return f"withheld:{self._store_or_log(operation, 'url', secret, account) or ''}"

        hidden: dict[str, Any] = hide_all(result, withheld)
        return hidden

    def _store_or_log(self, operation: Operation, pointer: str, value: str, account: Account) -> str | None:
        """Store a secret of a result. It is withheld even if it cannot be stored."""
        try:
            return self._keep(operation, pointer, value, account)
        except StateError as error:
            logger().error("a secret was lost", tool=operation.name, place=pointer, reason=str(error))
            return None

    def _withhold(self, operation: Operation, result: dict[str, Any], account: Account) -> dict[str, Any]:
        from mailgun_mcp.output import secrets as secrets_in

        def keep(pointer: str, value: str) -> str | None:
            return self._store_or_log(operation, pointer, value, account)

        return secrets_in.withhold(operation, result, keep, self._state.command_directory)

    def _mark(
        self, operation: Operation, result: dict[str, Any], whole: dict[str, Any] | None, owner: Owner
    ) -> tuple[dict[str, Any], bool]:
        from mailgun_mcp.output.untrusted import NOTICE, mark

        boundary = secrets.token_hex(4)
        marked = mark(operation, result, boundary, whole)
        if not marked.authors:
            return result, False
        result = marked.result
        if marked.raw:
            # ASCII escapes make invisible characters, and those that imitate a fence, visible.
            name = self._results.keep(
                f"⟦{boundary} as it was sent⟧ {json.dumps(marked.raw)} ⟦{boundary}⟧",
                boundary=boundary,
                owner=owner,
            )
            result = {**result, NOTICE: {**result[NOTICE], "as_sent": f"for an hour, read_result with result={name!r}"}}
        return result, True
