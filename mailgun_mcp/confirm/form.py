"""What a person is shown before a call is made. Rendered from the exact request, never by the model."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import LEVELS, Decision, Level
from mailgun_mcp.request.build import Request

SHOWN_VALUE = 120
SHOWN_ARGUMENTS = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """The current state of what a call would affect, read just before the question."""

    text: str
    digest: str
    """Of the state; another digest just before the call means that the target changed."""
    too_many: bool = False
    """There are more records than a snapshot saves, so none of it can be undone."""


NOTHING = Preview("", "")


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
        """Identifies the whole binding."""
        fields = [self.principal, self.account, self.tool, self.request, self.policy]
        return sha256(json.dumps(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Form:
    """A question to a person."""

    text: str
    level: Level
    typed: str | None
    """What the person must type; None for a plain yes."""
    binding: Binding
    preview: str
    """The preview's digest."""

    @property
    def schema(self) -> dict[str, Any]:
        """The flat JSON Schema of the answer, as elicitation wants it."""
        if self.typed is None:
            field = {"confirm": {"type": "boolean", "title": "Make this call", "default": False}}
        else:
            field = {"confirm": {"type": "string", "title": f"Type {self.typed}"}}
        return {"type": "object", "properties": field, "required": ["confirm"]}


def render(facts: Facts, request: Request, decision: Decision, preview: Preview, binding: Binding) -> Form:
    """Return the question that `decision` asks for."""
    operation, level = facts.operation, decision.level or "approval"
    if preview.too_many:
        level = raised(level)
    typed = None if level == "ask" else target(operation, facts.arguments)
    lines = [
        f"{operation.title} (risk: {operation.risk}{', bulk' if operation.bulk else ''})",
        request.line,
        _where(facts),
        *_arguments(operation, facts.arguments),
        *([preview.text] if preview.text else []),
        reversibility(operation, too_many=preview.too_many),
        f"Asked because {decision.reason} ({decision.rule}).",
    ]
    if typed is not None:
        lines.append(f"To confirm, type: {typed}")
    return Form("\n".join(lines), level, typed, binding, preview.digest)


def raised(level: Level) -> Level:
    """Return the next higher level, up to a person's approval on a channel of their own."""
    return level if level in ("approval", "two_people") else LEVELS[LEVELS.index(level) + 1]


def reversibility(operation: Operation, *, too_many: bool = False) -> str:
    """Return the sentence that says whether the call can be undone."""
    if operation.undo is None:
        return "It changes nothing."
    return "It cannot be undone: there are too many records to save." if too_many else f"It {operation.undo.summary}."


def target(operation: Operation, arguments: Arguments) -> str:
    """Return the name of what a call affects: its last path argument, else the name of the tool."""
    named = [argument.name for argument in operation.arguments if argument.location in ("path", "header")]
    names = [str(arguments[name]) for name in named if name in arguments]
    return (one_line(names[-1]) if names else "") or operation.name


def _where(facts: Facts) -> str:
    context = facts.context
    region = f", region {context.region.upper()}" if context.region else ""
    subaccount = f", subaccount {context.subaccount}" if context.subaccount else ""
    return f"Account {context.account}{region}{subaccount}, called by {one_line(context.client or context.principal)}"


def _arguments(operation: Operation, arguments: Arguments) -> list[str]:
    """Return every argument that the request line does not show; a long value is cut and says its length."""
    hidden = {argument.name for argument in operation.arguments if argument.secret}
    in_line = {argument.name for argument in operation.arguments if argument.location in ("path", "query")}
    shown = [(name, value) for name, value in arguments.items() if name not in in_line]
    lines = [
        f"  {name}: {'(withheld)' if name in hidden else short_value(value)}" for name, value in shown[:SHOWN_ARGUMENTS]
    ]
    more = len(shown) - SHOWN_ARGUMENTS
    return [*lines, *([f"  and {more} more argument(s)"] if more > 0 else [])]


def one_line(text: str) -> str:
    """Return the text as one line of visible characters, so that no value can add lines of its own to a form."""
    from mailgun_mcp.text.characters import show_invisible

    return " ⏎ ".join(show_invisible(text).split("\n")).strip()


def short_value(value: Any) -> str:
    """Return a value as one line, cut where it is long."""
    text = one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}… ({len(text):,} characters)"
