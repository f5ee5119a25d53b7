"""Options of a send that a mail header can set too: rules see them as the equivalent arguments. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import exact_json

ARGUMENTS = {
    "x-mailgun-tag": "tags",
    "x-mailgun-dkim": "dkim",
    "x-mailgun-secondary-dkim": "secondary_dkim",
    "x-mailgun-secondary-dkim-public": "secondary_dkim_public",
    "x-mailgun-deliver-by": "deliverytime",
    "x-mailgun-deliver-within": "deliver_within",
    "x-mailgun-delivery-time-optimize-period": "deliverytime_optimize_period",
    "x-mailgun-time-zone-localize": "time_zone_localize",
    "x-mailgun-drop-message": "test_mode",
    "x-mailgun-track": "tracking",
    "x-mailgun-track-clicks": "tracking_clicks",
    "x-mailgun-track-opens": "tracking_opens",
    "x-mailgun-track-pixel-location-top": "tracking_pixel_location_top",
    "x-mailgun-require-tls": "require_tls",
    "x-mailgun-skip-verification": "skip_verification",
    "x-mailgun-sending-ip": "sending_ip",
    "x-mailgun-sending-ip-pool": "sending_ip_pool",
    "x-mailgun-archive-to": "archive_to",
    "x-mailgun-suppress-headers": "suppress_headers",
    "x-mailgun-template-name": "template",
    "x-mailgun-template-version": "version",
    "x-mailgun-variables": "variables",
    "x-mailgun-template-variables": "template_variables",
}
"""Header -> argument."""
WORDS = {"yes": True, "true": True, "no": False, "false": False}
FLAGS = frozenset(
    {"dkim", "test_mode", "tracking_opens", "tracking_pixel_location_top", "require_tls", "skip_verification"}
)
LISTS = frozenset({"tags", "suppress_headers"})
"""Options that can be given several times."""
OBJECTS = frozenset({"variables", "template_variables"})
"""Options whose header is a JSON object. It adds to the argument."""
BYPASS = "x-mailgun-suppressions-bypass"
"""Has mail delivered to people who unsubscribed or complained. Mailgun does not document it, but knows it."""
ENCODED = "=?"


def is_option(header: str) -> bool:
    """Return whether Mailgun reads the header as an instruction to itself."""
    return header.strip().lower().startswith("x-mailgun-")


def forbidden(headers: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield a fault for each header that no send may have."""
    for header, _ in headers:
        if header.strip().lower() == BYPASS:
            yield f"{header.strip()[:80]}: this header has mail delivered to people who unsubscribed or complained"


def with_options_of(
    headers: Iterable[tuple[str, Any]], arguments: Arguments, names: frozenset[str], faults: list[str]
) -> Arguments:
    """Return the arguments plus the options in `names` that headers set.

    If a header contradicts an argument, it is unknown which one counts, and that is a fault.
    """
    options: dict[str, Any] = {}
    for header, value in headers:
        name = ARGUMENTS.get(header.strip().lower(), "")
        if name not in names:
            continue
        if ENCODED in str(value):
            faults.append(f"{name}: an encoded word in the header {header.strip()} may hide another value")
        option = _read(name, value)
        if name in OBJECTS:
            options[name] = _merged(name, options.get(name, arguments.get(name)) or {}, option, faults)
        elif name in LISTS:
            options[name] = [*options.get(name, _listed(arguments.get(name))), option]
        elif (before := options.get(name, arguments.get(name, option))) != option:
            faults.append(f"{name}: {before!r} and {option!r} (in the header {header.strip()}) contradict each other")
        else:
            options[name] = option
    return {**arguments, **options} if options else arguments


def _merged(name: str, before: Any, text: str, faults: list[str]) -> Any:
    added = exact_json(text)
    if not isinstance(before, dict) or not isinstance(added, dict):
        faults.append(f"{name}: a header sets it too, and is not a JSON object")
        return before
    faults += [
        f"{name}: {key!r} has another value in a header"
        for key in before.keys() & added.keys()
        if before[key] != added[key]
    ]
    return before | added


def _read(name: str, value: Any) -> Any:
    text = str(value).strip()
    return WORDS.get(text.lower(), text) if name in FLAGS else text


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
