"""Whom a call reaches and what it changes, where the recorded arguments do not show it.

They are shortened, and what looks like a secret is left out of them. A caller must not be able to hide behind that who
got a mail.
"""

from collections import Counter
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.output.logs import redactor
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.request.target_keys import values_at

CONTENT = frozenset(
    {
        *("subject", "text", "html", "amp_html", "attachments", "inline", "variables", "template_variables"),
        *("template", "description", "comment", "vars", "html_footer", "text_footer"),
    }
)
"""Arguments that name nobody, whatever is in them."""
MOST = 100
"""Most names that are recorded."""
LONGEST = 8_000
"""Most characters of the recorded names."""


def unshown(facts: Facts, recorded: Arguments, *, personal: bool) -> dict[str, Any] | None:
    """Return the recipients, places and targets of a call; None if the recorded arguments show them.

    Where there are too many, those of the rarest domains are kept. Without `personal`, only domains are.
    """
    if not _is_altered(facts.operation, facts.arguments, recorded):
        return None
    names = list(dict.fromkeys([*facts.recipients, *facts.destinations, *_targets(facts.operation, facts.arguments)]))
    if not names:
        return None
    domains = Counter(name.rpartition("@")[2] for name in names)
    names.sort(key=lambda name: domains[name.rpartition("@")[2]])
    if not personal:
        public = [name for name in names if "@" in name or name in facts.destinations]
        names = list(dict.fromkeys(name.rpartition("@")[2] for name in public))
    shown: list[str] = []
    left = LONGEST
    for name in map(redactor().name, names[:MOST]):
        left -= len(name)
        if left < 0:
            break
        shown.append(name)
    return {"count": sum(domains.values()), "domains" if not personal else "names": shown}


def _is_altered(operation: Operation, given: Arguments, recorded: Arguments) -> bool:
    secret = {argument.name for argument in operation.arguments if argument.secret}
    return any(recorded.get(name) != value for name, value in given.items() if name not in CONTENT | secret)


def _targets(operation: Operation, arguments: Arguments) -> list[str]:
    keys = [effect.key for effect in operation.affects if effect.key]
    return [str(value) for key in keys for value in values_at(arguments, key)]
