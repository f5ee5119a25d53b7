"""What a person is shown before a call is made. It is rendered from the exact request, never by the model.

It shows the most important facts (`key_facts`), the state of the target, and then all arguments (`argument_lines`).
"""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.operation import Raise
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.argument_lines import argument_lines, shown_arguments
from mailgun_mcp.confirm.bounded_text import LONGEST_REASON, first_lines, shorten
from mailgun_mcp.confirm.headline import target_name
from mailgun_mcp.confirm.key_facts import key_facts
from mailgun_mcp.output.names import is_name
from mailgun_mcp.output.url_secrets import hide, recognisable
from mailgun_mcp.policy.facts import Context, Facts
from mailgun_mcp.policy.model import LEVELS, Decision, Level
from mailgun_mcp.request.build import Request

LONGEST = 4_000
"""Longest form, in characters."""
ARGUMENTS = 1_100
"""Characters reserved for the arguments, however long the state of the target is."""
REQUEST_LINE = 300
REASON = {"type": "string", "title": "If not, why? The assistant is told.", "maxLength": LONGEST_REASON, "default": ""}
"""The default is for clients that send every field: FastMCP's would send null, which its own check rejects."""
AGAIN = "You are asked again: this changed after the last question."
COUNT = 40
"""Characters reserved for the line that counts what is left out."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The current state of what a call would affect, read just before the question."""

    text: str
    digest: str
    """Digest of the state. If it differs just before the call, the target has changed."""
    too_many: bool = False
    """Whether there are more records than a snapshot saves, so that nothing can be undone."""
    raises: tuple[Raise, ...] = ()
    """Reasons why the current state makes the call riskier than its operation."""
    third_party: bool = False
    """Whether third parties may have written some of it."""


NOTHING = Preview("", "")


@dataclass(frozen=True, slots=True)
class Target:
    """What a call would affect and who would get its mail, as just read, and the policy's decision on it."""

    facts: Facts
    decision: Decision
    preview: Preview
    account_domains: tuple[str, ...] = ()
    """Domains that the account can send from, if they could be read."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a confirmation is valid for: this call, of this principal, in this account, under this policy."""

    principal: str
    account: str
    tool: str
    request: str
    policy: str

    @property
    def digest(self) -> str:
        """Digest that identifies the whole binding."""
        fields = [self.principal, self.account, self.tool, self.request, self.policy]
        return sha256(json.dumps(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CallDetails:
    """The subject of a form as data: not shortened, and without secrets."""

    target: str = ""
    facts: tuple[str, ...] = ()
    """The form's lines up to the arguments."""
    arguments: Arguments = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    recipient_count: int = 0
    senders: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A question to a person."""

    text: str
    level: Level
    typed: str | None
    """The text that the person must type; None for a plain yes."""
    binding: Binding
    preview: str
    """Digest of what is shown that can change independently of the request: target state and mailing lists."""
    call: CallDetails = CallDetails()
    """The same call as data."""
    third_party: bool = False
    """Whether third parties may have written some of it."""

    @property
    def again(self) -> "Form":
        """The form to show if an earlier one is no longer valid."""
        return replace(self, text=f"{AGAIN}\n{self.text}")

    @property
    def schema(self) -> dict[str, Any]:
        """The flat JSON Schema of the answer, as elicitation requires it."""
        if self.typed is None:
            confirm = {"type": "boolean", "title": "Make this call", "default": False}
        else:
            confirm = {"type": "string", "title": f"Type {self.typed}"}
        return {"type": "object", "properties": {"confirm": confirm, "reason": REASON}, "required": ["confirm"]}


def render(target: Target, request: Request, binding: Binding) -> Form:
    """Return the question that the decision requires."""
    facts, decision, preview = target.facts, target.decision, target.preview
    operation, level = facts.operation, decision.level or "approval"
    if preview.too_many:
        level = raised(level)
    name = target_name(operation, facts.arguments)
    typed = None if level == "ask" else name
    facts_first = key_facts(facts, decision, too_many=preview.too_many, account_domains=target.account_domains)
    lines = [hide(line, recognisable) for line in facts_first]
    if typed is not None:
        lines.append(f"To confirm, type: {typed}")
    arguments = shown_arguments(operation, facts.arguments)
    request_line = shorten(hide(request.line, recognisable), REQUEST_LINE)
    longest = LONGEST - len(AGAIN) - 1
    room = longest - _length([*lines, request_line])
    reserved = min(_length(argument_lines(arguments, room)), ARGUMENTS)
    previewed = (
        first_lines(hide(preview.text, recognisable).split("\n"), room - reserved - COUNT) if preview.text else []
    )
    lines += [*previewed, request_line]
    details = CallDetails(
        name,
        tuple(lines),
        arguments,
        facts.recipients,
        facts.recipient_count,
        facts.senders,
        facts.destinations,
    )
    text = "\n".join([*lines, *argument_lines(arguments, longest - _length(lines))])
    third_party = preview.third_party or _names_members(facts.context)
    return Form(text, level, typed, binding, _digest(preview, facts.context), details, third_party)


def _names_members(context: Context) -> bool:
    """Return whether a mailing list has a member whose address could contain an instruction."""
    return any(not is_name(address) for addresses in context.list_addresses.values() for address in addresses)


def raised(level: Level) -> Level:
    """Return the next higher level, up to a person's approval on a separate channel."""
    return level if level in ("approval", "two_people") else LEVELS[LEVELS.index(level) + 1]


def _digest(preview: Preview, context: Context) -> str:
    """Return a digest of the state that is shown. It changes if a mailing list grows."""
    if not context.list_members and not context.unknown_lists:
        return preview.digest
    members = {name: sorted(addresses) for name, addresses in context.list_addresses.items()}
    shown = [preview.digest, context.list_members, members, context.unknown_lists]
    return sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _length(lines: list[str]) -> int:
    return sum(len(line) + 1 for line in lines)
