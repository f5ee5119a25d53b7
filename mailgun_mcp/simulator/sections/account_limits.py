"""Custom monthly sending limits of the account and its subaccounts."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.administration import SendingLimit
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

DONE = Reply({"success": True})


@handles("get_account_sending_limit", fidelity="stateful", note="with the number of messages sent this month")
@handles("get_subaccount_sending_limit", fidelity="stateful", note="with the number of messages sent this month")
def get_sending_limit(account: Account, request: SimulatedRequest) -> Reply:
    holder = _holder(account, request, "Not a subaccount")
    limit = holder.administration.sending_limit
    if limit.limit is None:
        raise ApiError(404, "No threshold for account")
    return Reply({"limit": limit.limit, "current": limit.current(account.clock.now()), "period": "1m"})


@handles("set_account_sending_limit", fidelity="stateful", note="sending stops when the limit is reached")
@handles("set_subaccount_sending_limit", fidelity="stateful", note="sending stops when the limit is reached")
def set_sending_limit(account: Account, request: SimulatedRequest) -> Reply:
    if request["limit"] < 1:
        raise ApiError(400, "The limit parameter minumum is 1")
    _limit(account, request).limit = request["limit"]
    return DONE


@handles("delete_account_sending_limit", fidelity="stateful", note="sending continues")
@handles("delete_subaccount_sending_limit", fidelity="stateful", note="sending continues")
def delete_sending_limit(account: Account, request: SimulatedRequest) -> Reply:
    limit = _limit(account, request)
    if limit.limit is None:
        raise ApiError(400, "Could not delete threshold for account")
    limit.limit = None
    return DONE


@handles("reenable_account", fidelity="stateful", note="after a limit has stopped it")
def reenable_account(account: Account) -> Reply:
    limit = account.administration.sending_limit
    if not limit.stops(account.clock.now()):
        raise ApiError(400, "Unable to re-enable account with current account disablement")
    limit.stopped_in = None
    return DONE


def _limit(account: Account, request: SimulatedRequest) -> SendingLimit:
    return _holder(account, request, "Invalid subaccount ID").administration.sending_limit


def _holder(account: Account, request: SimulatedRequest, unknown: str) -> Account:
    """Return the account that the limit applies to. Raises ApiError with `unknown` when there is no such subaccount."""
    if "subaccount_id" not in request.arguments:
        return account
    if account.administration.parent is not None:
        raise ApiError(403, "Forbidden - user does not have permission to view this resource")
    child = account.administration.subaccounts.get(request["subaccount_id"])
    if child is None or child.status == "closed":
        raise ApiError(400, unknown)
    return child.account
