"""The kinds of values in a policy file: globs, durations, amounts, and how an editor completes them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from mailgun_mcp.catalogue.types import Risk
from mailgun_mcp.policy.conditions import as_list
from mailgun_mcp.policy.globs import can_match_host
from mailgun_mcp.text.durations import duration, minutes_of, weekdays_of
from mailgun_mcp.text.host_names import LOOPBACK
from mailgun_mcp.text.suggest import unknown

Reversible = Literal["whole", "part", "no"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def checked(check: Callable[[Any], object]) -> AfterValidator:
    def validate(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(validate)


def one_or_many(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


def zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(unknown("time zone", name, available_timezones())) from error


def address_glob(glob: str) -> None:
    if not can_match_host(glob):
        raise ValueError(
            f"{glob!r} can match no domain: write a name such as example.com, without scheme, port, path, blanks, "
            "hidden characters and dots at its ends"
        )


def domain_glob(glob: str) -> None:
    if "@" in glob:
        raise ValueError(f"{glob!r} is an address, not a domain: leave out the part up to @")
    address_glob(glob)


def notify_url(url: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise ValueError(f"{url!r} is not an https URL (http is for loopback only)")


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
CURRENCY = r"^[A-Z]{3}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, le=1e9, strict=False)]


def _a_duration(value: Any) -> Any:
    """Check a number too, so that the message for `ttl: 15` says that the unit is missing."""
    if isinstance(value, (str, int, float)):
        duration(str(value))
    return value


_DURATION = {"type": "string", "pattern": "^[0-9]+[smhd]( ?[0-9]+[smhd])*$", "examples": ["15m", "2h", "7d"]}
Duration = Annotated[str, BeforeValidator(_a_duration), WithJsonSchema(_DURATION)]
SessionOrDuration = Annotated[
    str | Literal[True],
    BeforeValidator(lambda value: value if value is True or value == "session" else _a_duration(value)),
    WithJsonSchema({"anyOf": [{"enum": ["session", True]}, _DURATION]}),
]
AddressGlobs = list[Annotated[Text, checked(address_glob)]]
"""Of a send rule: empty means something. So it does for domains."""
DomainGlobs = list[Annotated[Text, checked(domain_glob)]]

FILLED = Field(min_length=1)
_ONE_OR_MORE = (FILLED, BeforeValidator(as_list), one_or_many({"type": "string", "minLength": 1}))
OneOrMore = Annotated[list[Text], *_ONE_OR_MORE]
OneOrMoreAddresses = Annotated[AddressGlobs, *_ONE_OR_MORE]
OneOrMoreDomains = Annotated[DomainGlobs, *_ONE_OR_MORE]
Risks = Annotated[
    list[Risk],
    FILLED,
    BeforeValidator(as_list),
    one_or_many({"enum": ["read", "write", "send", "destructive", "credential", "billing"]}),
]
Reversibles = Annotated[
    list[Reversible], FILLED, BeforeValidator(as_list), one_or_many({"enum": ["whole", "part", "no"]})
]
Hours = Annotated[
    list[Annotated[str | int, checked(minutes_of)]],
    FILLED,
    BeforeValidator(as_list),
    one_or_many({"type": ["string", "integer"], "examples": ["9-17", "22:30-6"]}),
]
Weekdays = Annotated[
    list[Annotated[str, checked(lambda span: weekdays_of([span]))]],
    FILLED,
    BeforeValidator(as_list),
    one_or_many({"type": "string", "examples": ["mon", "mon-fri"]}),
]
ArgumentConditions = Annotated[
    dict[str, Any],
    FILLED,
    WithJsonSchema({"type": "object", "minProperties": 1, "additionalProperties": {"title": "Condition"}}),
]
"""Checked by `checks`: pydantic's messages about a union of so many shapes do not help."""
