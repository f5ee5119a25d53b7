"""The account's settings, its webhook signing key, and the recipients of its sandbox domain."""

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.mail.sending_limits import authorized_recipients
from mailgun_mcp.simulator.model.access import SANDBOX_RECIPIENTS, Access
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

SETTINGS = ("name", "inactive_session_timeout", "absolute_session_timeout", "logout_redirect_url")
INVALID = "Invalid email address."


@handles("update_account_settings", fidelity="stateful", note="stored; only the name appears elsewhere")
def update_account_settings(account: Account, request: SimulatedRequest) -> Reply:
    settings = account.administration.access.settings
    settings.update({name: request[name] for name in SETTINGS if name in request.arguments})
    return success("Account info has been updated")


@handles("get_webhook_signing_key", fidelity="stateful", note="the key that signs webhooks")
def get_webhook_signing_key(account: Account) -> Reply:
    return Reply({"http_signing_key": _access(account).signing_key})


@handles("regenerate_webhook_signing_key", fidelity="stateful", note="later webhooks are signed with the new key")
def regenerate_webhook_signing_key(account: Account) -> Reply:
    _access(account).signing_key = f"key-{account.hex_id(32)}"
    return success("regenerated HTTP signing key for account", http_signing_key=_access(account).signing_key)


@handles("list_sandbox_recipients", fidelity="stateful", note="invited and activated ones")
def list_sandbox_recipients(account: Account) -> Reply:
    activated = dict.fromkeys(sorted(authorized_recipients(account)), True)
    recipients = {**activated, **dict.fromkeys(_access(account).invited, False)}
    return Reply({"recipients": [{"email": email, "activated": active} for email, active in recipients.items()]})


@handles("add_sandbox_recipient", fidelity="stateful", note="invited; no activation email is sent")
def add_sandbox_recipient(account: Account, request: SimulatedRequest) -> Reply:
    email, activated, invited = request["email"].lower(), authorized_recipients(account), _access(account).invited
    if email not in activated and email not in invited:
        if len(activated) + len(invited) >= SANDBOX_RECIPIENTS:
            raise ApiError(400, f"Only {SANDBOX_RECIPIENTS} sandbox recipients are allowed")
        invited[email] = account.clock.now()
    return Reply({"recipient": {"email": email, "activated": email in activated}})


@handles("delete_sandbox_recipient", fidelity="stateful", note="the sandbox no longer sends to the address")
def delete_sandbox_recipient(account: Account, request: SimulatedRequest) -> Reply:
    email = request["email"].lower()
    recipients = {*authorized_recipients(account), *_access(account).invited}
    if fault_of_address(email) or email not in recipients:
        raise ApiError(400, INVALID)
    account.authorized_recipients = {other for other in account.authorized_recipients if other.lower() != email}
    _access(account).invited.pop(email, None)
    return success("Sandbox recipient deleted.")


@handles("resend_activation_email", fidelity="shape only", note="no mail is sent")
def resend_activation_email() -> Reply:
    return Reply({"success": True})


def _access(account: Account) -> Access:
    return account.administration.access
