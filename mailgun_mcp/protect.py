"""Keeps keys and passwords in a result from the model, and marks what third parties wrote."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.guard.policy import Policy
from mailgun_mcp.results import Results, compact


class Protection:
    """What stands between Mailgun's answer and the model."""

    def __init__(
        self, policy: Policy, state: Path, results: Results, clock: Callable[[], float], *, account: str
    ) -> None:
        self._policy = policy
        self._state = state
        self._results = results
        self._clock = clock
        self._account = account

    def apply(self, operation: Operation, result: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the result as the model may see it, and whether it holds text of third parties."""
        if self._policy.secrets == "withhold" and (operation.secrets or operation.risk == "credential"):
            result = self._withhold(operation, result)
        return self._mark(operation, result) if operation.untrusted else (result, False)

    def _withhold(self, operation: Operation, result: dict[str, Any]) -> dict[str, Any]:
        from mailgun_mcp.guard.secrets_in import withhold
        from mailgun_mcp.state.secrets import SecretStore

        store = SecretStore(self._state)

        def keep(place: str, value: str) -> str:
            return store.keep(value, tool=operation.name, place=place, account=self._account, now=self._clock())

        return withhold(operation, result, keep)

    def _mark(self, operation: Operation, result: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        from mailgun_mcp.guard.untrusted import NOTICE, mark

        boundary = token_hex(4)
        marked = mark(operation, result, boundary)
        if not marked.places:
            return result, False
        shown = marked.result
        if marked.raw:
            kept = self._results.keep(f"⟦{boundary} as it was sent⟧ {compact(marked.raw)} ⟦{boundary}⟧")
            shown = {**shown, NOTICE: {**shown[NOTICE], "as_sent": f"read_result with result={kept!r}"}}
        return shown, True
