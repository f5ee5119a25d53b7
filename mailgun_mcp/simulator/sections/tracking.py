"""Tracking: what is tracked in a domain's mail, and the certificate of its tracking host."""

from typing import Any

from mailgun_mcp.simulator.http.tracking_hosts import tracking_host
from mailgun_mcp.simulator.mail.der import certificate
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.signing import Certificate
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said

UPDATED = "Domain tracking settings have been updated"
OPEN = {"active": "opens", "place_at_the_top": "opens_at_the_top"}
UNSUBSCRIBE = {"active": "unsubscribes", "html_footer": "html_footer", "text_footer": "text_footer"}
"""Argument -> where it is kept."""
STARTED = "Initiated x509 key pair generation"
ERRORS = {"processing": "Waiting for x509 key pair generation", "expired": "x509 certificate has expired", "active": ""}


def get_tracking_settings(_: Account, call: Call) -> Reply:
    scheme = call.domain.settings.get("web_scheme", "http")
    shown = {"open": _open(call), "click": _click(call), "unsubscribe": _unsubscribe(call), "web_scheme": scheme}
    return Reply({"tracking": shown})


def update_click_tracking(_: Account, call: Call) -> Reply:
    call.domain.administration.tracking.clicks = call["active"]
    return said(UPDATED, click=_click(call))


def update_open_tracking(_: Account, call: Call) -> Reply:
    _update(call, OPEN)
    return said(UPDATED, open=_open(call))


def update_unsubscribe_tracking(_: Account, call: Call) -> Reply:
    _update(call, UNSUBSCRIBE)
    return said(UPDATED, unsubscribe=_unsubscribe(call))


def get_tracking_certificate(account: Account, call: Call) -> Reply:
    found = _certificate(call)
    if found is None:
        raise Refusal(404, f"Please initiate x509 key pair generation at POST /v2/x509/{_host(call)}", "Description")
    status = found.status(account.clock.now())
    text = certificate(found.host, found.serial, found.requested_at, found.valid_until)
    return Reply({"status": status, "error": ERRORS[status], "certificate": "" if status == "processing" else text})


def generate_tracking_certificate(account: Account, call: Call) -> Reply:
    if _host(call) != tracking_host(call.domain) or call.domain.state != "active":
        raise Refusal(400, "invalid CNAME record", "Reason")
    if _certificate(call) is not None:
        text = f"x509 key pair generation has already been initiated for {_host(call)}"
        raise Refusal(409, text, "Description")
    return _generate(account, call)


def regenerate_tracking_certificate(account: Account, call: Call) -> Reply:
    found = _certificate(call)
    if found is None:
        raise Refusal(404, "x509 cert not found", "Description")
    status = found.status(account.clock.now())
    if status == "processing":
        text = f"x509 key pair generation job is already in progress for {found.host}"
        raise Refusal(429, text, "Description")
    if status == "active":
        text = f"x509 certificate is still valid until {_written(found.valid_until)}"
        raise Refusal(409, text, "Description")
    return _generate(account, call)


def _generate(account: Account, call: Call) -> Reply:
    host = _host(call)
    call.domain.administration.certificates[host] = Certificate(host, account.clock.now(), account.next_serial())
    return Reply({"message": STARTED, "location": f"/v2/x509/{host}/status"}, 202)


def _host(call: Call) -> str:
    host: str = call["domain"].lower()
    return host


def _certificate(call: Call) -> Certificate | None:
    return call.domain.administration.certificates.get(_host(call))


def _written(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def _update(call: Call, fields: dict[str, str]) -> None:
    for argument, attribute in fields.items():
        if argument in call.arguments:
            setattr(call.domain.administration.tracking, attribute, call[argument])


def _shown(call: Call, fields: dict[str, str]) -> dict[str, Any]:
    tracking = call.domain.administration.tracking
    return {argument: getattr(tracking, attribute) for argument, attribute in fields.items()}


def _open(call: Call) -> dict[str, Any]:
    return _shown(call, OPEN)


def _unsubscribe(call: Call) -> dict[str, Any]:
    return _shown(call, UNSUBSCRIBE)


def _click(call: Call) -> dict[str, Any]:
    return {"active": call.domain.administration.tracking.clicks != "no"}


HANDLERS: dict[str, Handler] = {
    "get_tracking_settings": get_tracking_settings,
    "update_click_tracking": update_click_tracking,
    "update_open_tracking": update_open_tracking,
    "update_unsubscribe_tracking": update_unsubscribe_tracking,
    "get_tracking_certificate": get_tracking_certificate,
    "regenerate_tracking_certificate": regenerate_tracking_certificate,
    "generate_tracking_certificate": generate_tracking_certificate,
}
