"""The attributes that logs can be filtered by, and the comparators of each."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mailgun_mcp.simulator.analytics.reports import COMPARATORS
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import parse_mail_date, parse_rfc3339
from mailgun_mcp.simulator.model.packed_events import AT, RULE, FieldTest, Path
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

AttributeReader = Callable[[Any], Iterable[Any]]
"""Turns the value of an event's field (None when it is missing) into the values to compare."""


@dataclass(slots=True)
class LogConditions:
    """The conditions of a filter: `tests` apply to single events, `logs` to a whole log (its account and domain)."""

    tests: list[FieldTest] = field(default_factory=list)
    logs: list[Callable[[Account, str], bool]] = field(default_factory=list)

    def hold(self, account: Account, domain: str) -> bool:
        """Return whether the log of the account's domain meets the conditions on whole logs."""
        return all(condition(account, domain) for condition in self.logs)


BOUNDS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, bound: value < bound,
    ">": lambda value, bound: value > bound,
}


def parse_log_conditions(request: SimulatedRequest) -> LogConditions:
    """Return the conditions of a filter. Raises ApiError for an unsupported attribute or comparator."""
    conditions = LogConditions()
    for item in (request.get("filter") or {}).get("AND", ()):
        _add(conditions, item["attribute"], item["comparator"], [str(value["value"]) for value in item["values"]])
    return conditions


def _add(conditions: LogConditions, name: str, comparator: str, texts: list[str]) -> None:
    if name not in ATTRIBUTES and name not in ORDERED and name not in OF_LOGS:
        raise ApiError(400, f"'{name}' is not a valid filter predicate attribute")
    if comparator not in COMPARATORS and comparator not in BOUNDS:
        raise ApiError(400, f"'{comparator}' is not a valid comparator")
    if (name in ORDERED) != (comparator in BOUNDS) or (name in ONLY and comparator not in ONLY[name]):
        raise ApiError(400, f"'{comparator}' is not a valid comparator for the '{name}' attribute")
    if name in OF_LOGS:
        read_log, fits = OF_LOGS[name], _compared(_itself, comparator, texts)
        conditions.logs.append(lambda account, domain: fits(read_log(account, domain)))
    elif name in ORDERED:
        if name == "delivered_at":
            # This test comes first, because it leaves few events for the other.
            conditions.tests.append((("event",), lambda event: event == "delivered"))
        path, parse = ORDERED[name]
        conditions.tests.append((path, _bounded(comparator, [parse(text) for text in texts])))
    else:
        path, read = ATTRIBUTES[name]
        conditions.tests.append((path, _compared(read, comparator, texts)))


def _compared(read: AttributeReader, comparator: str, texts: list[str]) -> Callable[[Any], bool]:
    compare, expected = COMPARATORS[comparator], [text.lower() for text in texts]
    return lambda value: compare([str(each).lower() for each in read(value)], expected)


def _bounded(comparator: str, bounds: list[float]) -> Callable[[Any], bool]:
    # One of several bounds is enough, so only the widest counts.
    bound = max(bounds, default=float("-inf")) if comparator == "<" else min(bounds, default=float("inf"))
    compare = BOUNDS[comparator]
    return lambda value: value is not None and compare(value, bound)


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


def _itself(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _word(index: int) -> AttributeReader:
    return lambda text: text.split()[index : index + 1]


def _filenames(attachments: Any) -> list[Any]:
    return [item["filename"] for item in attachments or ()]


OF_LOGS: dict[str, Callable[[Account, str], str]] = {
    "domain": lambda _, domain: domain,
    "subaccount": lambda account, _: account.id,
}
"""Attributes that are the same for all events of a domain."""

PLAIN: dict[str, Path] = {
    "id": ("id",),
    "event": ("event",),
    "ip": ("envelope", "sending-ip"),
    "ip_pool": ("envelope", "i-ip-pool-id"),
    "recipient": ("recipient",),
    "recipient_domain": ("recipient-domain",),
    "recipient_provider": ("recipient-provider",),
    "recipients": ("message", "recipients"),
    "country": ("geolocation", "country"),
    "device": ("client-info", "device-type"),
    "bot": ("client-info", "bot"),
    "from": ("message", "headers", "from"),
    "to": ("message", "headers", "to"),
    "subject": ("message", "headers", "subject"),
    "message_id": ("message", "headers", "message-id"),
    "mailing_list_address": ("mailing-list", "address"),
    "tag": ("tags",),
    "severity": ("severity",),
    "delivery_status_code": ("delivery-status", "code"),
    "delivery_status_message": ("delivery-status", "message"),
    "delivery_status_bounce_type": ("delivery-status", "bounce-type"),
    "is_routed": ("flags", "is-routed"),
}
ATTRIBUTES: dict[str, tuple[Path, AttributeReader]] = {
    **{name: (path, _itself) for name, path in PLAIN.items()},
    "user_variables": (("user-variables",), lambda variables: [json.dumps(variables or {})]),
    "attachment_filename": (("message", "attachments"), _filenames),
    "i_classification_rule_id": (RULE, _word(0)),
    "i_classification_group_id": (RULE, _word(1)),
}
"""Attribute -> the path of its field, and the function that reads the values to compare."""

ORDERED: dict[str, tuple[Path, Callable[[str], float]]] = {
    "size": (("message", "size"), _number),
    "delivered_at": (AT, _moment),
}
"""Attributes that are compared with a bound -> the path of their field, and the parser of the bound."""

ONLY = {"recipients": ("contains", "not contains")}
"""Attributes that allow only some comparators -> those comparators."""
