"""Tracking: the tracked actions in a domain's mail, and the certificate of its tracking host."""

from typing import Any

from mailgun_mcp.simulator.http.tracking_hosts import tracking_host
from mailgun_mcp.simulator.mail.der import certificate
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.signing import Certificate
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

UPDATED = "Domain tracking settings have been updated"
OPEN = {"active": "opens", "place_at_the_top": "opens_at_the_top"}
UNSUBSCRIBE = {"active": "unsubscribes", "html_footer": "html_footer", "text_footer": "text_footer"}
"""Argument -> name in the settings of unsubscribe tracking."""
STARTED = "Initiated x509 key pair generation"
ERRORS = {"processing": "Waiting for x509 key pair generation", "expired": "x509 certificate has expired", "active": ""}


@handles("get_tracking_settings", fidelity="stateful", note="click, open and unsubscribe settings")
def get_tracking_settings(request: SimulatedRequest) -> Reply:
    scheme = request.domain.settings.get("web_scheme", "http")
    tracking = {
        "open": _open(request),
        "click": _click(request),
        "unsubscribe": _unsubscribe(request),
        "web_scheme": scheme,
    }
    return Reply({"tracking": tracking})


@handles("update_click_tracking", fidelity="stateful", note="stored; links in mail are not rewritten")
def update_click_tracking(request: SimulatedRequest) -> Reply:
    request.domain.administration.tracking.clicks = request["active"]
    return success(UPDATED, click=_click(request))


@handles("update_open_tracking", fidelity="stateful", note="stored; no pixel is added to mail")
def update_open_tracking(request: SimulatedRequest) -> Reply:
    _update(request, OPEN)
    return success(UPDATED, open=_open(request))


@handles(
    "update_unsubscribe_tracking", fidelity="stateful", note="stored with its footers, which are not added to mail"
)
def update_unsubscribe_tracking(request: SimulatedRequest) -> Reply:
    _update(request, UNSUBSCRIBE)
    return success(UPDATED, unsubscribe=_unsubscribe(request))


@handles("get_tracking_certificate", fidelity="stateful", note="its state follows the clock")
def get_tracking_certificate(account: Account, request: SimulatedRequest) -> Reply:
    requested = _certificate(request)
    if requested is None:
        raise ApiError(
            404, f"Please initiate x509 key pair generation at POST /v2/x509/{_host(request)}", "Description"
        )
    status = requested.status(account.clock.now())
    text = certificate(requested.host, requested.serial, requested.requested_at, requested.valid_until)
    return Reply({"status": status, "error": ERRORS[status], "certificate": "" if status == "processing" else text})


@handles("generate_tracking_certificate", fidelity="stateful", note="ready after a while; it isn't a real certificate")
def generate_tracking_certificate(account: Account, request: SimulatedRequest) -> Reply:
    if _host(request) != tracking_host(request.domain) or request.domain.state != "active":
        raise ApiError(400, "invalid CNAME record", "Reason")
    if _certificate(request) is not None:
        text = f"x509 key pair generation has already been initiated for {_host(request)}"
        raise ApiError(409, text, "Description")
    return _generate(account, request)


@handles(
    "regenerate_tracking_certificate", fidelity="stateful", note="refused while a certificate is valid or being created"
)
def regenerate_tracking_certificate(account: Account, request: SimulatedRequest) -> Reply:
    requested = _certificate(request)
    if requested is None:
        raise ApiError(404, "x509 cert not found", "Description")
    status = requested.status(account.clock.now())
    if status == "processing":
        text = f"x509 key pair generation job is already in progress for {requested.host}"
        raise ApiError(429, text, "Description")
    if status == "active":
        text = f"x509 certificate is still valid until {_written(requested.valid_until)}"
        raise ApiError(409, text, "Description")
    return _generate(account, request)


def _generate(account: Account, request: SimulatedRequest) -> Reply:
    host = _host(request)
    request.domain.administration.certificates[host] = Certificate(host, account.clock.now(), account.next_serial())
    return Reply({"message": STARTED, "location": f"/v2/x509/{host}/status"}, 202)


def _host(request: SimulatedRequest) -> str:
    host: str = request["domain"].lower()
    return host


def _certificate(request: SimulatedRequest) -> Certificate | None:
    return request.domain.administration.certificates.get(_host(request))


def _written(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def _update(request: SimulatedRequest, fields: dict[str, str]) -> None:
    for argument, attribute in fields.items():
        if argument in request.arguments:
            setattr(request.domain.administration.tracking, attribute, request[argument])


def _to_json(request: SimulatedRequest, fields: dict[str, str]) -> dict[str, Any]:
    tracking = request.domain.administration.tracking
    return {argument: getattr(tracking, attribute) for argument, attribute in fields.items()}


def _open(request: SimulatedRequest) -> dict[str, Any]:
    return _to_json(request, OPEN)


def _unsubscribe(request: SimulatedRequest) -> dict[str, Any]:
    return _to_json(request, UNSUBSCRIBE)


def _click(request: SimulatedRequest) -> dict[str, Any]:
    return {"active": request.domain.administration.tracking.clicks != "no"}
