"""Checks of single values: domains, addresses, IPs, URLs, and safe parts of a path."""

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from mailgun_mcp.text.characters import CONTROLS, LINE_BREAKS

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
STORAGE_HOST = re.compile(r"(api|api\.eu|storage\.eu|[a-z0-9-]+(\.[a-z0-9-]+)*\.api)\.mailgun\.net")
"""Mailgun's hosts for stored mail. `storage.eu` is the only one not below `api`."""
EVENTS = (
    *("accepted", "delivered", "failed", "opened", "clicked", "unsubscribed", "complained", "rejected", "stored"),
    *("list_uploaded", "list_member_uploaded", "list_member_upload_error", "email_validation", "trapped"),
    *("unique_opened", "unique_clicked"),
)
"""Types of events that `list_events` can filter by."""
EVENT_WORD = re.compile(r"[^\s()\"']+")
MAX_ENCODED = 8
"""How many levels of percent-encoding are decoded in a value."""
HEADER_BREAK = re.compile(f"[\r\n\x1c-\x1e{LINE_BREAKS}]")
CONTROL = re.compile(f"[{CONTROLS}]")


def hostname(value: str) -> str | None:
    """Return why `value` is not a domain name with a dot, or None.

    The dot matters: `routes` or `lists` as a domain would reach another operation.
    Source: RFC 1035 section 2.3; underscores as DNS allows them.
    """
    if len(value) > 253:
        return "is not a domain name: it is too long"
    if "://" in value:
        return "is not a domain name but a URL: give only the name, such as mail.example.com"
    labels = value.removesuffix(".").split(".")
    try:
        ascii_labels = [label if label.isascii() else label.encode("idna").decode() for label in labels]
    except UnicodeError:
        return "is not a domain name"
    if len(labels) < 2:
        return "is not a domain name: it has no dot"
    if not all(LABEL.fullmatch(label) for label in ascii_labels):
        return "is not a domain name"
    return None


def email(value: str) -> str | None:
    """Return why `value` is not a bare mail address, or None."""
    local, at, domain = value.rpartition("@")
    if not at or not local or len(value) > 320:
        return "is not a mail address"
    if value.split() != [value] or control_character(value) or set(value) & set("<>,"):
        return "is not a bare mail address"
    if "@" in local and not (local.startswith('"') and local.endswith('"')):
        return "is not a mail address: it has two @"
    return "is not a mail address: its domain is not valid" if hostname(domain) else None


def ip(value: str) -> str | None:
    """Return why `value` is not an IPv4 or IPv6 address, or None."""
    from ipaddress import ip_address

    try:
        ip_address(value)
    except ValueError:
        return "is not an IP address"
    return None


def uri(value: str) -> str | None:
    """Return why `value` is not an http or https URL, or None."""
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        return "is not a URL that starts with http:// or https://"
    return (
        "is not a URL: it contains a space or control character"
        if re.search(r"\s", value) or CONTROL.search(value)
        else None
    )


def control_character(value: str) -> str | None:
    """Return the fault that `value` contains a control character, or None."""
    return "contains a control character" if CONTROL.search(value) else None


def line_break(value: str) -> str | None:
    """Return the fault that `value` contains what some readers take for a line break, ending a mail header, or None."""
    return "contains a line break" if HEADER_BREAK.search(value) else None


def path_part(value: str) -> str | None:
    """Return why `value` must not be used in a path, or None.

    A slash or a dot segment could reach another operation, also after a server
    behind Mailgun's router decodes it a second time. So encoded forms are refused as well.
    """
    if not value:
        return "is empty"
    plain = _decoded(value)
    if unquote(plain) != plain:
        return "is percent-encoded too many times"
    if CONTROL.search(plain):
        return "contains a control character"
    segments = re.split(r"[/\\]", plain)
    if any(segment in ("", ".", "..") for segment in segments):
        return "contains a dot segment or an empty path segment"
    return None


def slash(value: str) -> str | None:
    """Return the fault that `value` contains a slash, plain or encoded, or None."""
    return "contains a slash" if re.search(r"[/\\]", _decoded(value)) else None


def _decoded(value: str) -> str:
    """Return `value` decoded until it no longer changes, as a chain of servers may do."""
    for _ in range(MAX_ENCODED):
        decoded = unquote(value)
        if decoded == value:
            break
        value = decoded
    return value


def header_value(value: str) -> str | None:
    """Return why `value` can't be sent as an HTTP header, or None. An empty header would name nothing."""
    return (
        None
        if re.fullmatch(r"[!-~]([ -~]*[!-~])?", value)
        else "is empty or contains a character not allowed in a header"
    )


def storage_host(value: str) -> str:
    """Return the host that `value` is, or that it has as a URL.

    Raises ValueError if it is not one of Mailgun's hosts, because the API key would be sent to it.
    """
    host = value
    if "://" in value:
        try:
            parts = urlsplit(value)
            plain = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
        except ValueError:
            plain = False
        host = (parts.hostname or "") if plain else ""
    if not STORAGE_HOST.fullmatch(host.lower()):
        raise ValueError(
            "is not a Mailgun host (*.api.mailgun.net or storage.eu.mailgun.net, over https), so the API key is not sent there"
        )
    return host.lower()


def event_filter(value: str) -> str | None:
    """Return why `value` is neither an event nor events joined by OR, AND and NOT; None if it is.

    For any other word Mailgun finds nothing, which would look like a real result.
    """
    from mailgun_mcp.request.hints import allowed_values

    words = [word for word in EVENT_WORD.findall(value) if word not in ("OR", "AND", "NOT")]
    unknown = next((word for word in words if word.lower() not in EVENTS), None)
    if unknown is None:
        return None
    what = "is not an event" if unknown == value else f"has {unknown!r}, which is not an event"
    return f"{what}; {allowed_values(unknown, EVENTS)}"


FORMATS: dict[str, Callable[[str], str | None]] = {
    "hostname": hostname,
    "email": email,
    "ip": ip,
    "uri": uri,
    "event-filter": event_filter,
}
