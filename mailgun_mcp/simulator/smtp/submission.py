"""Checks SMTP logins, and turns a mail into a request."""

from hmac import compare_digest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.http.error_overrides import check_with_overrides
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.model.account import OPEN, Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.messages import SmtpEnvelope, submit_mime
from mailgun_mcp.simulator.sections.smtp_credentials import all_credentials

SMTP_CODES = {
    400: "554 5.6.0",
    402: "550 5.7.1",
    403: "550 5.7.1",
    404: "550 5.7.1",
    413: "552 5.3.4",
    420: "421 4.7.0",
    429: "421 4.7.0",
}
"""HTTP status of a refusal -> SMTP code of the same refusal."""
ACCEPTED = "250 Great success"
TEXTS = {
    "from parameter is missing": "cannot parse from address",
    "'from' parameter is not a valid address. please check documentation": "cannot parse from address",
    "'to' parameter is not a valid address. please check documentation": "cannot parse to address",
}
"""HTTP refusal that mentions a parameter -> SMTP text of the same refusal, from the manual."""


def log_in(account: Account, login: str, password: str) -> bool:
    """Return whether a domain of the account has this login with this password."""
    credentials = find_login(account, login)
    if credentials is None or not password:
        return False
    _, domain = credentials
    stored = next(one.password for one in all_credentials(domain) if one.login == login.lower())
    return compare_digest(stored.encode(), password.encode("utf-8", "replace"))


def find_login(account: Account, login: str) -> tuple[Account, Domain] | None:
    """Return the account and the domain that have a login. Subaccounts and both regions are searched."""
    for owner in account.with_subaccounts(OPEN, all_regions=True):
        domain = owner.domains.get(login.rpartition("@")[2].lower())
        if domain is not None and any(one.login == login.lower() for one in all_credentials(domain)):
            return owner, domain
    return None


def submit(account: Account, operation: Operation, envelope: SmtpEnvelope, recipients: list[str], mime: bytes) -> str:
    """Send a mail with `operation`, the one that sends MIME messages. Return the reply of the SMTP server."""
    credentials = find_login(account, envelope.login)
    if credentials is None:
        return "550 5.7.1 The login was deleted"
    owner, domain = credentials
    arguments = {
        "domain": domain.name,
        "to": recipients,
        "message": File("message.eml", "message/rfc822", mime),
    }
    try:
        deliver_due(owner)
        check_with_overrides(operation, arguments)
        submit_mime(owner, SimulatedRequest(operation, arguments, "", found_domain=domain), envelope)
    except ApiError as refusal:
        code = SMTP_CODES.get(refusal.reply.status_code, "554 5.0.0")
        return f"{code} {TEXTS.get(str(refusal), str(refusal))}"
    return ACCEPTED
