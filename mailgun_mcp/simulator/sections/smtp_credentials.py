"""SMTP credentials: logins of a domain, beside the postmaster that it always has."""

from typing import Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.model.access import SmtpCredential
from mailgun_mcp.simulator.model.account import Account, Domain
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said

NOTE = "These passwords are shown only once"


def list_smtp_credentials(_: Account, call: Call) -> Reply:
    page = skip_page(_all(call.domain), max(0, call.get("skip")), max(0, call.get("limit")))
    return Reply({"items": [_shown(credential) for credential in page], "total_count": len(page)})


def create_smtp_credentials(account: Account, call: Call) -> Reply:
    logins = [_login(call.domain, text) for text in call.get("login") or call.get("mailbox")]
    passwords = call.get("password", [])
    if passwords and len(passwords) != len(logins):
        raise Refusal(400, "The number of 'login' and 'password' parameters must be equal")
    made = {} if passwords else {login: _password(account) for login in logins}
    for login, password in zip(logins, passwords or made.values(), strict=True):
        _put(account, call.domain, login, password)
    return said(f"Created {len(logins)} credentials pair(s)", **_told(made))


def clear_smtp_credentials(_: Account, call: Call) -> Reply:
    count = len(call.domain.administration.credentials)
    call.domain.administration.credentials.clear()
    return said("All domain credentials have been deleted", count=count)


def update_smtp_credential(account: Account, call: Call) -> Reply:
    credential = _found(call)
    made = {} if "password" in call.arguments else {credential.login: _password(account)}
    _put(account, call.domain, credential.login, call.get("password") or made[credential.login])
    return said("Password changed", **_told(made))


def delete_smtp_credential(_: Account, call: Call) -> Reply:
    credential = _found(call)
    if credential.system:
        raise Refusal(400, f"Cannot delete system mailbox: {credential.login}")
    del call.domain.administration.credentials[credential.login]
    return said("Credentials have been deleted", spec=credential.login)


def postmaster(domain: Domain) -> SmtpCredential:
    """Return the login that every domain has."""
    password = domain.administration.postmaster_password
    return SmtpCredential(f"postmaster@{domain.name}", password, domain.created_at, system=True)


def _all(domain: Domain) -> list[SmtpCredential]:
    own = domain.administration.credentials
    return sorted([postmaster(domain), *own.values()], key=lambda credential: credential.login)


def _found(call: Call) -> SmtpCredential:
    login = _login(call.domain, call["spec"])
    credential = next((known for known in _all(call.domain) if known.login == login), None)
    if credential is None:
        raise Refusal(404, "Credentials not found")
    return credential


def _login(domain: Domain, text: str) -> str:
    """Return the whole login of a name that may lack its domain. Raises Refusal for one of another domain."""
    login = (text if "@" in text else f"{text}@{domain.name}").lower()
    if fault_of_address(login) or login.rpartition("@")[2] != domain.name:
        raise Refusal(400, f"'login' parameter is not a valid address of domain {domain.name}")
    return login


def _put(account: Account, domain: Domain, login: str, password: str) -> None:
    known = domain.administration.credentials.get(login)
    if known:
        known.password = password
    elif login == postmaster(domain).login:
        domain.administration.postmaster_password = password
    else:
        domain.administration.credentials[login] = SmtpCredential(login, password, account.clock.now())


def _password(account: Account) -> str:
    return account.hex_id(32)


def _told(made: dict[str, str]) -> dict[str, Any]:
    return {"note": NOTE, "credentials": made} if made else {}


def _shown(credential: SmtpCredential) -> dict[str, Any]:
    return {
        "mailbox": credential.login,
        "login": credential.login,
        "created_at": mail_date(credential.created_at, "+0000"),
        "size_bytes": None,
    }


HANDLERS: dict[str, Handler] = {
    "list_smtp_credentials": list_smtp_credentials,
    "create_smtp_credentials": create_smtp_credentials,
    "clear_smtp_credentials": clear_smtp_credentials,
    "update_smtp_credential": update_smtp_credential,
    "delete_smtp_credential": delete_smtp_credential,
}
