"""Paths and parameters that the catalogue lacks. Mailgun's own SDKs use them, and Mailgun accepts them."""

import re

from mailgun_mcp.simulator.http.body import Fields

LEGACY_PATHS = (
    ("GET", "/v3/domains", "list_domains"),
    ("POST", "/v3/domains", "create_domain"),
    ("GET", "/v3/domains/{name}", "get_domain"),
    ("PUT", "/v3/domains/{name}", "update_domain"),
    ("PUT", "/v3/domains/{name}/verify", "verify_domain"),
    ("GET", "/v3/{domain}/tags/{tag}", "get_domain_tag"),
    ("PUT", "/v3/{domain}/tags/{tag}", "update_domain_tag"),
    ("DELETE", "/v3/{domain}/tags/{tag}", "delete_domain_tag"),
    ("GET", "/v3/{domain}/tags/{tag}/stats", "get_domain_tag_stats"),
    ("GET", "/v3/{domain}/tags/{tag}/stats/aggregates/countries", "get_domain_tag_aggregates"),
    ("GET", "/v3/{domain}/tags/{tag}/stats/aggregates/providers", "get_domain_tag_aggregates"),
    ("GET", "/v3/{domain}/tags/{tag}/stats/aggregates/devices", "get_domain_tag_aggregates"),
)
"""Method, path template and the operation that answers. Path values that the operation's path lacks go to its query."""

LEGACY_VALUES = {
    f"/v3/{{domain}}/tags/{{tag}}/stats/aggregates/{plural}": {"type": kind}
    for plural, kind in {"countries": "country", "providers": "provider", "devices": "device"}.items()
}
"""Path template -> the parameters that the path implies."""

PARAMETER_ALIASES: dict[str, dict[str, str]] = {
    "create_ip_pool": {"ips": "ip"},
    "list_events": {"pretty": ""},
    "send_mime_message": {"from": "", "cc": "", "bcc": "", "subject": ""},
    "update_domain": {"name": ""},
    "update_open_tracking": {"skip_verification": ""},
}
"""Operation -> alias of a parameter -> its name in the catalogue, or "" if the parameter has no effect."""


NUMBERED = re.compile(r"(attachment|inline|o:tag)\[\d*\]")
"""The PHP style of writing a repeated field. Symfony's bridge sends `attachment[0]`, and Mailgun accepts it."""


def apply_aliases(operation: str, fields: Fields) -> Fields:
    """Return the fields with aliases replaced by the names in the catalogue."""
    if operation == "send_message":
        fields = _without_numbers(fields)
    others = PARAMETER_ALIASES.get(operation)
    if not others:
        return fields
    named = ((others.get(wire, wire), values) for wire, values in fields.items())
    return {wire: values for wire, values in named if wire}


def _without_numbers(fields: Fields) -> Fields:
    merged: Fields = {}
    for wire, values in fields.items():
        numbered = NUMBERED.fullmatch(wire)
        merged.setdefault(numbered[1] if numbered else wire, []).extend(values)
    return merged
