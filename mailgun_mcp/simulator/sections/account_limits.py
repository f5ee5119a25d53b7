"""Custom monthly sending limits, of this account and of those below it."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.administration import SendingLimit
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply

DONE = Reply({"success": True})


def get_sending_limit(account: Account, call: Call) -> Reply:
    holder = _holder(account, call, "Not a subaccount")
    found = holder.administration.sending_limit
    if found.limit is None:
        raise Refusal(404, "No threshold for account")
    return Reply({"limit": found.limit, "current": found.current(account.clock.now()), "period": "1m"})


def set_sending_limit(account: Account, call: Call) -> Reply:
    if call["limit"] < 1:
        raise Refusal(400, "The limit parameter minumum is 1")
    _limit(account, call).limit = call["limit"]
    return DONE


def delete_sending_limit(account: Account, call: Call) -> Reply:
    found = _limit(account, call)
    if found.limit is None:
        raise Refusal(400, "Could not delete threshold for account")
    found.limit = None
    return DONE


def reenable_account(account: Account, _: Call) -> Reply:
    found = account.administration.sending_limit
    if not found.stops(account.clock.now()):
        raise Refusal(400, "Unable to re-enable account with current account disablement")
    found.stopped_in = None
    return DONE


def _limit(account: Account, call: Call) -> SendingLimit:
    return _holder(account, call, "Invalid subaccount ID").administration.sending_limit


def _holder(account: Account, call: Call, unknown: str) -> Account:
    """Return the account that the limit is of. Raises Refusal with `unknown` when there is no such subaccount."""
    if "subaccount_id" not in call.arguments:
        return account
    if account.administration.parent is not None:
        raise Refusal(403, "Forbidden - user does not have permission to view this resource")
    child = account.administration.subaccounts.get(call["subaccount_id"])
    if child is None or child.status == "closed":
        raise Refusal(400, unknown)
    return child.account


HANDLERS: dict[str, Handler] = {
    "get_account_sending_limit": get_sending_limit,
    "set_account_sending_limit": set_sending_limit,
    "delete_account_sending_limit": delete_sending_limit,
    "reenable_account": reenable_account,
    "get_subaccount_sending_limit": get_sending_limit,
    "set_subaccount_sending_limit": set_sending_limit,
    "delete_subaccount_sending_limit": delete_sending_limit,
}
