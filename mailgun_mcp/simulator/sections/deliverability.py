"""Results of the account's seed tests and email previews. No operation starts a test."""

from typing import Any

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

Result = dict[str, Any]


@handles(
    "get_inbox_placement_result",
    fidelity="stateful",
    note="results in the account (`seed-newsletter`, or set through control); no test is run",
)
def get_inbox_placement_result(account: Account, request: SimulatedRequest) -> Reply:
    result = _get_result(account.seed_results, request["result"])
    provider = request.get("provider")
    if provider:
        shares = result.get("provider_results", {})
        result = {**result, "provider_results": {name: share for name, share in shares.items() if name == provider}}
    return Reply(result)


@handles(
    "get_email_preview_results",
    fidelity="stateful",
    note="results in the account (`preview-newsletter`, or set through control); no test is run",
)
def get_email_preview_results(account: Account, request: SimulatedRequest) -> Reply:
    return Reply(_get_result(account.preview_results, request["test_id"]))


def _get_result(results: dict[str, Result], name: str) -> Result:
    if name not in results:
        raise ApiError(404, "not found", "error")
    return results[name]
