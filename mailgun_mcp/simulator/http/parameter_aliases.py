"""Parameters that the catalogue does not have: Mailgun's own SDKs send them, and Mailgun takes them."""

from mailgun_mcp.simulator.http.body import Fields

PARAMETER_ALIASES: dict[str, dict[str, str]] = {
    "create_ip_pool": {"ips": "ip"},
    "list_events": {"pretty": ""},
    "send_mime_message": {"from": "", "cc": "", "bcc": "", "subject": ""},
    "update_domain": {"name": ""},
    "update_open_tracking": {"skip_verification": ""},
}
"""Operation -> the other name of a parameter, or nothing for one that changes nothing."""


def apply_aliases(operation: str, fields: Fields) -> Fields:
    """Return the fields under the names that the catalogue has for them."""
    others = PARAMETER_ALIASES.get(operation)
    if not others:
        return fields
    named = ((others.get(wire, wire), values) for wire, values in fields.items())
    return {wire: values for wire, values in named if wire}
