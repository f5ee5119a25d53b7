"""SMTP credentials: logins of a domain, in addition to the postmaster that every domain has."""

from typing import Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.model.access import SmtpCredential
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

NOTE = "These passwords are shown only once"


@handles("list_smtp_credentials", fidelity="stateful", note="including the postmaster")
def list_smtp_credentials(request: SimulatedRequest) -> Reply:
    page = skip_page(all_credentials(request.domain), max(0, request.get("skip")), max(0, request.get("limit")))
    return Reply({"items": [_to_json(credential) for credential in page], "total_count": len(page)})


@handles(
    "create_smtp_credentials", fidelity="stateful", note="log in to the SMTP server of `simulator --smtp` with them"
)
def create_smtp_credentials(account: Account, request: SimulatedRequest) -> Reply:
    logins = [_login(request.domain, text) for text in request.get("login") or request.get("mailbox")]
    passwords = request.get("password", [])
    if passwords and len(passwords) != len(logins):
        raise ApiError(400, "The number of 'login' and 'password' parameters must be equal")
    made = {} if passwords else {login: _password(account) for login in logins}
    for login, password in zip(logins, passwords or map(made.__getitem__, logins), strict=True):
        _put(account, request.domain, login, password)
    return success(f"Created {len(logins)} credentials pair(s)", **_credentials_note(made))


@handles("clear_smtp_credentials", fidelity="stateful", note="all except the postmaster")
def clear_smtp_credentials(request: SimulatedRequest) -> Reply:
    count = len(request.domain.administration.credentials)
    request.domain.administration.credentials.clear()
    return success("All domain credentials have been deleted", count=count)


@handles("update_smtp_credential", fidelity="stateful", note="the password")
def update_smtp_credential(account: Account, request: SimulatedRequest) -> Reply:
    credential = _get_credential(request)
    made = {} if "password" in request.arguments else {credential.login: _password(account)}
    _put(account, request.domain, credential.login, request.get("password") or made[credential.login])
    return success("Password changed", **_credentials_note(made))


@handles("delete_smtp_credential", fidelity="stateful", note="by login")
def delete_smtp_credential(request: SimulatedRequest) -> Reply:
    credential = _get_credential(request)
    if credential.system:
        raise ApiError(400, f"Cannot delete system mailbox: {credential.login}")
    del request.domain.administration.credentials[credential.login]
    return success("Credentials have been deleted", spec=credential.login)


def postmaster(domain: Domain) -> SmtpCredential:
    """Return the postmaster login that every domain has."""
    password = domain.administration.postmaster_password
    return SmtpCredential(f"postmaster@{domain.name}", password, domain.created_at, system=True)


def all_credentials(domain: Domain) -> list[SmtpCredential]:
    """Return all logins of a domain in order, including the postmaster."""
    own = domain.administration.credentials
    return sorted([postmaster(domain), *own.values()], key=lambda credential: credential.login)


def _get_credential(request: SimulatedRequest) -> SmtpCredential:
    login = _login(request.domain, request["spec"])
    credential = next((one for one in all_credentials(request.domain) if one.login == login), None)
    if credential is None:
        raise ApiError(404, "Credentials not found")
    return credential


def _login(domain: Domain, text: str) -> str:
    """Return the full login for a name with or without the domain. Raises ApiError for a login of another domain."""
    login = (text if "@" in text else f"{text}@{domain.name}").lower()
    if fault_of_address(login) or login.rpartition("@")[2] != domain.name:
        raise ApiError(400, f"'login' parameter is not a valid address of domain {domain.name}")
    return login


def _put(account: Account, domain: Domain, login: str, password: str) -> None:
    credential = domain.administration.credentials.get(login)
    if credential:
        credential.password = password
    elif login == postmaster(domain).login:
        domain.administration.postmaster_password = password
    else:
        domain.administration.credentials[login] = SmtpCredential(login, password, account.clock.now())


def _password(account: Account) -> str:
    return account.hex_id(32)


def _credentials_note(made: dict[str, str]) -> dict[str, Any]:
    return {"note": NOTE, "credentials": made} if made else {}


def _to_json(credential: SmtpCredential) -> dict[str, Any]:
    return {
        "mailbox": credential.login,
        "login": credential.login,
        "created_at": mail_date(credential.created_at, "+0000"),
        "size_bytes": None,
    }
