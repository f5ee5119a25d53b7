"""The attributes that logs can be filtered by, and how each may be compared."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.reports import COMPARATORS
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.bounce_rules import BounceRule, classify
from mailgun_mcp.simulator.model.clock import parse_mail_date, parse_rfc3339
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

AttributeReader = Callable[[Account, str, Record], Iterable[Any]]
LogCondition = Callable[[Account, str, Record], bool]

BOUNDS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, bound: value < bound,
    ">": lambda value, bound: value > bound,
}


def parse_log_conditions(request: SimulatedRequest) -> list[LogCondition]:
    """Return the predicates of a filter. Raises ApiError for a comparison that the attribute does not have."""
    return [_condition(item) for item in (request.get("filter") or {}).get("AND", ())]


def _condition(item: Record) -> LogCondition:
    name, comparator = item["attribute"], item["comparator"]
    texts = [str(value["value"]) for value in item["values"]]
    if name not in ATTRIBUTES and name not in ORDERED:
        raise ApiError(400, f"'{name}' is not a valid filter predicate attribute")
    if comparator not in COMPARATORS and comparator not in BOUNDS:
        raise ApiError(400, f"'{comparator}' is not a valid comparator")
    if (name in ORDERED) != (comparator in BOUNDS) or (name in ONLY and comparator not in ONLY[name]):
        raise ApiError(400, f"'{comparator}' is not a valid comparator for the '{name}' attribute")
    return _bounded(name, comparator, texts) if name in ORDERED else _compared(name, comparator, texts)


def _compared(name: str, comparator: str, texts: list[str]) -> LogCondition:
    read, compare = ATTRIBUTES[name], COMPARATORS[comparator]
    expected = [text.lower() for text in texts]
    return lambda account, domain, record: compare(
        [str(value).lower() for value in read(account, domain, record)], expected
    )


def _bounded(name: str, comparator: str, texts: list[str]) -> LogCondition:
    read, parse = ORDERED[name]
    compare, bounds = BOUNDS[comparator], [parse(text) for text in texts]
    return lambda account, domain, record: any(
        compare(value, bound) for value in read(account, domain, record) for bound in bounds
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ApiError(400, f"'{text}' is not a valid number") from error


def _moment(text: str) -> float:
    for parse in (parse_mail_date, parse_rfc3339):
        try:
            return parse(text)
        except (ValueError, OverflowError):
            continue
    raise ApiError(400, f"{text} is not an RFC-2822 compliant date")


def _at(*path: str) -> AttributeReader:
    def read(_: Account, __: str, record: Record) -> list[Any]:
        value: Any = record
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, list) else [] if value is None else [value]

    return read


def _classified(read: Callable[[BounceRule], str]) -> AttributeReader:
    def classified(_: Account, __: str, record: Record) -> list[str]:
        rule = classify(record)
        return [read(rule)] if rule else []

    return classified


def _delivered_at(_: Account, __: str, record: Record) -> list[float]:
    return [record["timestamp"]] if record["event"] == "delivered" else []


ATTRIBUTES: dict[str, AttributeReader] = {
    "id": _at("id"),
    "domain": lambda _, domain, __: [domain],
    "subaccount": lambda account, _, __: [account.id],
    "event": _at("event"),
    "ip": _at("envelope", "sending-ip"),
    "ip_pool": _at("envelope", "i-ip-pool-id"),
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
    "mailing_list_address": _at("mailing-list", "address"),
    "tag": _at("tags"),
    "severity": _at("severity"),
    "delivery_status_code": _at("delivery-status", "code"),
    "delivery_status_message": _at("delivery-status", "message"),
    "delivery_status_bounce_type": _at("delivery-status", "bounce-type"),
    "is_routed": _at("flags", "is-routed"),
    "user_variables": lambda _, __, record: [json.dumps(record.get("user-variables", {}))],
    "attachment_filename": lambda _, __, record: [
        item["filename"] for item in record.get("message", {}).get("attachments", [])
    ],
    "i_classification_rule_id": _classified(lambda rule: rule.id),
    "i_classification_group_id": _classified(lambda rule: rule.group.id),
}

ORDERED: dict[str, tuple[AttributeReader, Callable[[str], float]]] = {
    "size": (_at("message", "size"), _number),
    "delivered_at": (_delivered_at, _moment),
}
"""Attributes that are compared with a bound, and the parser of the bound."""

ONLY = {"recipients": ("contains", "not contains")}
"""Attributes with fewer comparators than others."""
