"""The account itself: its settings, its webhook signing key, and who its sandbox may write to."""

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.mail.sending_limits import authorized_recipients
from mailgun_mcp.simulator.model.access import SANDBOX_RECIPIENTS, Access
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said

SETTINGS = ("name", "inactive_session_timeout", "absolute_session_timeout", "logout_redirect_url")
INVALID = "Invalid email address."


def update_account_settings(account: Account, call: Call) -> Reply:
    settings = account.administration.access.settings
    settings.update({name: call[name] for name in SETTINGS if name in call.arguments})
    return said("Account info has been updated")


def get_webhook_signing_key(account: Account, _: Call) -> Reply:
    return Reply({"http_signing_key": _access(account).signing_key})


def regenerate_webhook_signing_key(account: Account, _: Call) -> Reply:
    _access(account).signing_key = f"key-{account.hex_id(32)}"
    return said("regenerated HTTP signing key for account", http_signing_key=_access(account).signing_key)


def list_sandbox_recipients(account: Account, _: Call) -> Reply:
    activated = dict.fromkeys(sorted(authorized_recipients(account)), True)
    known = {**activated, **dict.fromkeys(_access(account).invited, False)}
    return Reply({"recipients": [{"email": email, "activated": active} for email, active in known.items()]})


def add_sandbox_recipient(account: Account, call: Call) -> Reply:
    email, activated, invited = call["email"].lower(), authorized_recipients(account), _access(account).invited
    if email not in activated and email not in invited:
        if len(activated) + len(invited) >= SANDBOX_RECIPIENTS:
            raise Refusal(400, f"Only {SANDBOX_RECIPIENTS} sandbox recipients are allowed")
        invited[email] = account.clock.now()
    return Reply({"recipient": {"email": email, "activated": email in activated}})


def delete_sandbox_recipient(account: Account, call: Call) -> Reply:
    email = call["email"].lower()
    known = {*authorized_recipients(account), *_access(account).invited}
    if fault_of_address(email) or email not in known:
        raise Refusal(400, INVALID)
    account.authorized_recipients = {other for other in account.authorized_recipients if other.lower() != email}
    _access(account).invited.pop(email, None)
    return said("Sandbox recipient deleted.")


def resend_activation_email(_: Account, __: Call) -> Reply:
    return Reply({"success": True})


def _access(account: Account) -> Access:
    return account.administration.access


HANDLERS: dict[str, Handler] = {
    "update_account_settings": update_account_settings,
    "get_webhook_signing_key": get_webhook_signing_key,
    "regenerate_webhook_signing_key": regenerate_webhook_signing_key,
    "list_sandbox_recipients": list_sandbox_recipients,
    "add_sandbox_recipient": add_sandbox_recipient,
    "delete_sandbox_recipient": delete_sandbox_recipient,
    "resend_activation_email": resend_activation_email,
}
