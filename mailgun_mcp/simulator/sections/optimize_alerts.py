"""Alerts of Mailgun Optimize: the events to notify about, and the channels. The simulator produces none of the events.

The paths are those in the documentation of Optimize. mailgun-go uses shorter paths for the same routes.
"""

import re
from typing import Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.request.formats import uri as fault_of_url
from mailgun_mcp.simulator.http.undocumented_routes import UndocumentedRequest, UndocumentedRoute
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.optimize import AlertSetting
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success

EVENTS = ("ip_listed", "ip_delisted", "validation_job", "validation_preview", "domain_listed", "domain_delisted")
FIRST_KEY = "0d1d2f4c5e6a7b8c9daebfc0d1e2f304"
SLACK = {"token": "", "team_id": None, "team_name": None, "scope": None}
"""The Slack settings of an account without a connected workspace."""


def _list_events(_: Account, __: UndocumentedRequest) -> Reply:
    return Reply({"events": list(EVENTS)})


def _list(account: Account, _: UndocumentedRequest) -> Reply:
    optimize = account.administration.optimize
    alerts = [_to_json(alert) for alert in optimize.alerts.values()]
    return Reply({"events": alerts, "webhooks": {"signing_key": optimize.signing_key or FIRST_KEY}, "slack": SLACK})


def _add(account: Account, request: UndocumentedRequest) -> Reply:
    alert = _alert(account.uuid(), request.json)
    account.administration.optimize.alerts[alert.id] = alert
    return Reply(_to_json(alert))


def _update(account: Account, request: UndocumentedRequest) -> Reply:
    alert = _alert(_find(account, request).id, request.json)
    account.administration.optimize.alerts[alert.id] = alert
    return Reply(_to_json(alert))


def _remove(account: Account, request: UndocumentedRequest) -> Reply:
    del account.administration.optimize.alerts[_find(account, request).id]
    return success("Alert setting has been deleted")


def _reset_key(account: Account, _: UndocumentedRequest) -> Reply:
    account.administration.optimize.signing_key = account.hex_id(32)
    return Reply({"signing_key": account.administration.optimize.signing_key})


def _find(account: Account, request: UndocumentedRequest) -> AlertSetting:
    alert = account.administration.optimize.alerts.get(request.values["id"])
    if alert is None:
        raise ApiError(404, "Alert setting not found")
    return alert


def _alert(identity: str, record: dict[str, Any]) -> AlertSetting:
    event_type, channel, settings = (record.get(name) for name in ("event_type", "channel", "settings"))
    if event_type not in EVENTS:
        raise ApiError(400, f"Invalid event_type '{event_type}'. It can be any of: {', '.join(EVENTS)}.")
    if channel not in CHANNELS:
        raise ApiError(400, f"Invalid channel '{channel}'. It can be any of: {', '.join(CHANNELS)}.")
    if not isinstance(settings, dict) or not CHANNELS[channel](settings):
        raise ApiError(400, f"Invalid settings for the channel '{channel}'")
    return AlertSetting(identity, event_type, channel, settings)


def _to_json(alert: AlertSetting) -> dict[str, Any]:
    return {
        "id": alert.id,
        "event_type": alert.event_type,
        "channel": alert.channel,
        "settings": alert.settings,
        "disabled_at": None,
    }


def _has_url(settings: dict[str, Any]) -> bool:
    url = settings.get("url")
    return isinstance(url, str) and not fault_of_url(url)


def _has_emails(settings: dict[str, Any]) -> bool:
    emails = settings.get("emails")
    return isinstance(emails, list) and bool(emails) and not any(fault_of_address(str(address)) for address in emails)


def _has_channels(settings: dict[str, Any]) -> bool:
    return isinstance(settings.get("channel_ids"), list) and bool(settings["channel_ids"])


CHANNELS = {"webhook": _has_url, "email": _has_emails, "slack": _has_channels}
ALERTS = "/v1/alerts"
SETTINGS = ALERTS + "/settings"
ONE = SETTINGS + "(?:/events)?/(?P<id>[0-9a-f-]{36})"
ALERT_ROUTES = (
    UndocumentedRoute("GET", re.compile(ALERTS + "(?:/events)?"), "list_send_alerts", _list_events),
    UndocumentedRoute("GET", re.compile(SETTINGS), "list_send_alerts", _list),
    UndocumentedRoute("POST", re.compile(SETTINGS + "(?:/events)?"), "create_send_alert", _add),
    UndocumentedRoute("PUT", re.compile(ONE), "update_send_alert", _update),
    UndocumentedRoute("DELETE", re.compile(ONE), "delete_send_alert", _remove),
    UndocumentedRoute("PUT", re.compile(SETTINGS + "/webhooks/signing_key"), "update_send_alert", _reset_key),
)
