"""Logs of the account: the same events as `/events`, over all domains and in the form of analytics."""

import json
import re
from collections.abc import Callable
from typing import Any

from mailgun_mcp.simulator.call import Call, Handler
from mailgun_mcp.simulator.clock import DAY, HOUR, iso_date, mail_date, parse_mail_date
from mailgun_mcp.simulator.paging import Token, tokens, window
from mailgun_mcp.simulator.replies import Refusal, Reply
from mailgun_mcp.simulator.state import Account, Event

Record = dict[str, Any]
Found = tuple[str, Event]
"""A domain's name and an event of it."""

MAX_LIMIT = 100
FOREVER = float("inf")
UNITS = {"m": 30 * DAY, "d": DAY, "h": HOUR}


def query_logs(account: Account, call: Call) -> Reply:
    pagination = call.get("pagination") or {}
    asked = Token.decoded(pagination["token"]) if pagination.get("token") else Token("first", None, {})
    start, end = _range(account, call)
    descending = not str(pagination.get("sort", "")).endswith(":asc")
    found = {
        _place(event, descending): (name, event)
        for name, event in _events(account)
        if _shows(call, name, event, start, end)
    }
    keys = sorted(found)
    cut = window(keys, asked.page, asked.pivot, pagination.get("limit", MAX_LIMIT))
    answer = {
        "start": mail_date(start, "+0000"),
        "end": mail_date(account.clock.now() if end == FOREVER else end, "+0000"),
        "items": [_entry(account, *found[key]) for key in keys[cut]],
        "pagination": _pagination(asked, keys, cut, bool(call.get("include_totals"))),
        "aggregates": {},
    }
    return Reply(answer)


def _range(account: Account, call: Call) -> tuple[float, float]:
    end = _moment(call["end"]) if call.get("end") else FOREVER
    latest = min(end, account.clock.now())
    if call.get("duration"):
        return latest - _seconds(call["duration"]), end
    return (_moment(call["start"]) if call.get("start") else latest - DAY), end


def _moment(text: str) -> float:
    try:
        return parse_mail_date(text)
    except ValueError as error:
        raise Refusal(400, f"{text} is not an RFC-2822 compliant date") from error


def _seconds(duration: str) -> float:
    found = re.fullmatch(r"(\d+)([hdm])", duration)
    if found is None:
        raise Refusal(400, "'duration' attribute is invalid")
    return int(found[1]) * UNITS[found[2]]


def _events(account: Account) -> list[Found]:
    return [(domain.name, event) for domain in account.domains.values() for event in domain.events]


def _place(event: Event, descending: bool) -> tuple[float, int]:
    return (-event.at, -event.serial) if descending else event.position


def _shows(call: Call, domain: str, event: Event, start: float, end: float) -> bool:
    if not start <= event.at <= end:
        return False
    events, metrics = call.get("events"), call.get("metric_events")
    if events and event.record["event"] not in {name.removeprefix("unique_") for name in events}:
        return False
    if metrics and not any(name in METRICS and METRICS[name](event.record) for name in metrics):
        return False
    return all(_holds(condition, domain, event.record) for condition in (call.get("filter") or {}).get("AND", []))


def _holds(condition: Record, domain: str, record: Record) -> bool:
    comparator = condition["comparator"]
    if comparator not in COMPARATORS:
        raise Refusal(400, f"'{comparator}' is not a valid comparator")
    read = ATTRIBUTES.get(condition["attribute"])
    values = [str(value).lower() for value in read(domain, record)] if read else []
    return COMPARATORS[comparator](values, [item["value"].lower() for item in condition["values"]])


def _equal(values: list[str], wanted: list[str]) -> bool:
    return not set(values).isdisjoint(wanted)


def _contain(values: list[str], wanted: list[str]) -> bool:
    return any(text in value for value in values for text in wanted)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Refusal(400, f"'{text}' is not a valid number") from error


COMPARATORS: dict[str, Callable[[list[str], list[str]], bool]] = {
    "=": _equal,
    "!=": lambda values, wanted: not _equal(values, wanted),
    "contains": _contain,
    "not contains": lambda values, wanted: not _contain(values, wanted),
    "<": lambda values, wanted: any(_number(value) < _number(bound) for value in values for bound in wanted),
    ">": lambda values, wanted: any(_number(value) > _number(bound) for value in values for bound in wanted),
}


def _at(*path: str) -> Callable[[str, Record], list[Any]]:
    def read(_: str, record: Record) -> list[Any]:
        value: Any = record
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, list) else [] if value is None else [value]

    return read


ATTRIBUTES: dict[str, Callable[[str, Record], list[Any]]] = {
    "id": _at("id"),
    "domain": lambda domain, _: [domain],
    "event": _at("event"),
    "ip": _at("envelope", "sending-ip"),
    "recipient": _at("recipient"),
    "recipient_domain": _at("recipient-domain"),
    "recipient_provider": _at("recipient-provider"),
    "recipients": _at("message", "recipients"),
    "country": _at("geolocation", "country"),
    "device": _at("client-info", "device-type"),
    "bot": _at("client-info", "bot"),
    "from": _at("message", "headers", "from"),
    "to": _at("message", "headers", "to"),
    "subject": _at("message", "headers", "subject"),
    "message_id": _at("message", "headers", "message-id"),
    "size": _at("message", "size"),
    "tag": _at("tags"),
    "severity": _at("severity"),
    "delivery_status_code": _at("delivery-status", "code"),
    "delivery_status_message": _at("delivery-status", "message"),
    "delivery_status_bounce_type": _at("delivery-status", "bounce-type"),
    "is_routed": _at("flags", "is-routed"),
    "user_variables": lambda _, record: [json.dumps(record["user-variables"])],
    "attachment_filename": lambda _, record: [item["filename"] for item in record["message"].get("attachments", [])],
}


def _named(*names: str) -> Callable[[Record], bool]:
    return lambda record: record["event"] in names


def _failed(severity: str | None = None, reason: str | None = None) -> Callable[[Record], bool]:
    def matches(record: Record) -> bool:
        return (
            record["event"] == "failed"
            and severity in (None, record["severity"])
            and reason in (None, record["reason"])
        )

    return matches


METRICS: dict[str, Callable[[Record], bool]] = {
    **{
        name: _named(name)
        for name in ("accepted", "delivered", "stored", "opened", "clicked", "complained", "unsubscribed")
    },
    "accepted_outgoing": _named("accepted"),
    "delivered_smtp": _named("delivered"),
    "delivered_first_attempt": _named("delivered"),
    "unique_opened": _named("opened"),
    "unique_clicked": _named("clicked"),
    "processed": _named("accepted"),
    "sent": lambda record: record["event"] == "delivered" or record.get("reason") in ("bounce", "generic"),
    "failed": _failed(),
    "temporary_failed": _failed("temporary"),
    "delayed_first_attempt": _failed("temporary"),
    "permanent_failed": _failed("permanent"),
    "bounced": _failed("permanent", "bounce"),
    "hard_bounces": _failed("permanent", "bounce"),
    "suppressed_bounces": _failed("permanent", "suppress-bounce"),
    "suppressed_complaints": _failed("permanent", "suppress-complaint"),
    "suppressed_unsubscribed": _failed("permanent", "suppress-unsubscribe"),
}
"""Metric -> the events that it counts; what is not here has no events in the simulator."""


def _entry(account: Account, domain: str, event: Event) -> Record:
    record = {
        key: value for key, value in event.record.items() if key not in ("timestamp", "user-variables", "storage")
    }
    record |= {
        "@timestamp": iso_date(event.at),
        "account": {"id": account.id},
        "domain": {"name": domain},
        "user-variables": json.dumps(event.record["user-variables"]),
    }
    if "storage" in event.record:
        record["storage"] = {**event.record["storage"], "url": [event.record["storage"]["url"]]}
    return record


def _pagination(asked: Token, keys: list[tuple[float, int]], cut: slice, with_total: bool) -> Record:
    pages: Record = tokens({}, asked, keys[cut])
    if cut.stop >= len(keys):
        pages["next"] = ""
    if cut.start == 0:
        pages["previous"] = ""
    return {**pages, **({"total": len(keys)} if with_total else {})}


HANDLERS: dict[str, Handler] = {"query_logs": query_logs}
