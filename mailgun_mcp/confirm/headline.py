"""The first lines of a form: what the call does, to what, and the reason for its risk."""

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import one_line, shorten
from mailgun_mcp.text.suggest import sentence

TYPED = 100
"""Longest name that a person can be asked to type, in characters."""
NAMING = ("name", "selector", "address", "email", "domain")
"""Arguments that name what a call creates or removes, if neither its path nor its effects do."""
TARGET = "name"
"""Mailgun's argument for a domain that is itself the target of the call. Others say where the target is."""
LABELS = {
    "template_name": "template",
    "list_address": "mailing list",
    "member_address": "member",
    "subaccount_id": "subaccount",
    "pool_id": "pool",
    "pool_name": "pool",
    "ip": "IP",
}
"""Argument that says where the target is -> what a sentence calls it."""


def target_name(operation: Operation, arguments: Arguments) -> str:
    """Return the name of what a call affects, else the name of the tool.

    Names that nobody can type are skipped.
    """
    naming = _naming_argument(operation, arguments)
    name = one_line(str(arguments[naming])[: TYPED + 1]) if naming else ""
    return name if 0 < len(name) <= TYPED else operation.name


def headline(operation: Operation, arguments: Arguments) -> str:
    """Return what the call does, to what, and where that is."""
    naming = _naming_argument(operation, arguments)
    above = [item.name for item in operation.arguments if item.name == "domain" and item.wire != TARGET]
    places = [*_places(operation), *above]
    if naming in above:
        naming = None
    where = [
        f"{LABELS.get(name, name.replace('_', ' '))} {shorten(str(arguments[name]))}"
        for name in dict.fromkeys(places)
        if name != naming and arguments.get(name) is not None
    ]
    what = f": {shorten(str(arguments[naming]))}" if naming else ""
    in_brackets = f" ({', '.join(where)})" if where else ""
    return f"{operation.title}{what}{in_brackets}."


def risk(operation: Operation) -> str:
    """Return the risk, and why the call has it."""
    reason = operation.risk_reason
    effect = f" {sentence(reason)}." if reason else ""
    return f"Risk: {operation.risk}{', bulk' if operation.bulk else ''}.{effect}"


def _naming_argument(operation: Operation, arguments: Arguments) -> str | None:
    """Return the argument that names what is lost, changed or created: the tag, for example, not its domain."""
    affected = [effect.key for effect in operation.affects if effect.key]
    required = operation.input_schema.get("required", [])
    candidates = [*affected, *reversed(_places(operation)), *(name for name in NAMING if name in required)]
    return next((name for name in candidates if isinstance(arguments.get(name), str)), None)


def _places(operation: Operation) -> list[str]:
    return [item.name for item in operation.arguments if item.location in ("path", "header")]
