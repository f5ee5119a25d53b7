"""The users of the account, and the user whose key made the request."""

from typing import Any

from mailgun_mcp.simulator.http.auth import UNFIT
from mailgun_mcp.simulator.model.access import User
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import micro_date
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

OPENED_FROM = "198.51.100.7"


@handles("list_users", fidelity="stateful", note="by role, skip/limit")
def list_users(account: Account, request: SimulatedRequest) -> Reply:
    users = [user for user in _users(account).values() if request.get("role", user.role) == user.role]
    page = skip_page(users, max(0, request.get("skip", 0)), max(0, request.get("limit", len(users))))
    return Reply({"users": [_to_json(account, user) for user in page], "total": len(users)})


@handles("get_user", fidelity="stateful", note="by id")
def get_user(account: Account, request: SimulatedRequest) -> Reply:
    user = _users(account).get(request["user_id"])
    if user is None:
        raise ApiError(404, "No such user exists")
    return Reply(_to_json(account, user))


@handles("get_current_user", fidelity="stateful", note="the user whose key made the request")
def get_current_user(account: Account, request: SimulatedRequest) -> Reply:
    """Show the user of the request's key. The simulator's own key is the owner's; others must be bound to a user."""
    users = _users(account)
    owner = next((user for user in users.values() if user.master), None)
    user = owner if request.key is None else users.get(request.key.user_id or "")
    if user is None:
        raise ApiError(403, UNFIT)
    return Reply(_to_json(account, user))


def _users(account: Account) -> dict[str, User]:
    return account.administration.access.users


def _to_json(account: Account, user: User) -> dict[str, Any]:
    local, _, domain = user.email.partition("@")
    since = user.two_factor_since
    return {
        "id": user.id,
        "activated": user.activated,
        "name": user.name,
        "is_disabled": False,
        "email": user.email,
        "email_details": {
            "address": user.email,
            "is_valid": True,
            "reason": "",
            "parts": {"domain": domain, "local_part": local, "display_name": ""},
        },
        "role": user.role,
        "account_id": account.id,
        "opened_ip": OPENED_FROM,
        "is_master": user.master,
        "metadata": {},
        "tfa_enabled": since is not None,
        "tfa_active": since is not None,
        "tfa_created_at": micro_date(since) if since is not None else None,
        "password_updated_at": micro_date(user.password_updated_at),
        "preferences": {"time_zone": "UTC", "time_format": "%m/%d/%y %I:%M %p", "programming_language": "curl"},
        "auth": {"method": "", "prior_method": "", "prior_details": {}},
        "github_user_id": None,
        "salesforce_user_id": None,
        "migration_status": None,
    }
