"""What a person is shown before a call is made. Rendered from the exact request, never by the model."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import LEVELS, Decision, Level
from mailgun_mcp.request.build import Request

SHOWN_VALUE = 120
SHOWN_ARGUMENTS = 20
SHOWN_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What a look at the target found, just before the question."""

    text: str
    digest: str
    """Of what was found; another digest just before the call means that the target changed."""
    beyond: bool = False
    """There is more than is copied, so none of it can be put back."""


NOTHING = Preview("", "")


@dataclass(frozen=True, slots=True)
class Binding:
    """What a confirmation is good for: this call, of this caller, in this account, under this policy."""

    caller: str
    account: str
    tool: str
    request: str
    policy: str

    @property
    def digest(self) -> str:
        """One name for the whole binding."""
        fields = [self.caller, self.account, self.tool, self.request, self.policy]
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
    if preview.beyond:
        level = raised(level)
    typed = None if level == "ask" else target(operation, facts.arguments)
    lines = [
        f"{operation.title} ({operation.risk}{', many things at once' if operation.bulk else ''})",
        request.line,
        _where(facts),
        *_arguments(operation, facts.arguments),
        *([preview.text] if preview.text else []),
        lasting(operation, beyond=preview.beyond),
        f"Asked because {decision.reason} ({decision.rule}).",
    ]
    if typed is not None:
        lines.append(f"To confirm, type: {typed}")
    return Form("\n".join(lines), level, typed, binding, preview.digest)


def raised(level: Level) -> Level:
    """Return the next higher level, up to a person's approval on a channel of their own."""
    return level if level in ("approval", "two_people") else LEVELS[LEVELS.index(level) + 1]


def lasting(operation: Operation, *, beyond: bool = False) -> str:
    """Return what a person should know of how much of the call can be taken back."""
    if operation.undo is None:
        return "It changes nothing."
    return "It cannot be put back: there is more than is copied." if beyond else f"It {operation.undo.summary}."


def target(operation: Operation, arguments: Arguments) -> str:
    """Return the name of what a call touches: its last path argument, else the tool's own name."""
    named = [argument.name for argument in operation.arguments if argument.location in ("path", "header")]
    names = [str(arguments[name]) for name in named if name in arguments]
    return (_clean(names[-1]) if names else "") or operation.name


def _where(facts: Facts) -> str:
    context = facts.context
    region = f", region {context.region.upper()}" if context.region else ""
    subaccount = f", subaccount {context.subaccount}" if context.subaccount else ""
    return f"Account {context.account}{region}{subaccount}, called by {_clean(context.client or context.principal)}"


def _arguments(operation: Operation, arguments: Arguments) -> list[str]:
    """Every argument that the request line does not show; what is too long says how long it is."""
    hidden = {argument.name for argument in operation.arguments if argument.secret}
    in_line = {argument.name for argument in operation.arguments if argument.location in ("path", "query")}
    shown = [(name, value) for name, value in arguments.items() if name not in in_line]
    lines = [
        f"  {name}: {'(withheld)' if name in hidden else _value(value)}" for name, value in shown[:SHOWN_ARGUMENTS]
    ]
    more = len(shown) - SHOWN_ARGUMENTS
    return [*lines, *([f"  and {more} more argument(s)"] if more > 0 else [])]


def _clean(text: str) -> str:
    """Return the text as one line of what a reader can see: no value may write lines of its own into a form."""
    from mailgun_mcp.text.characters import show_invisible

    return " ⏎ ".join(show_invisible(text).split("\n")).strip()


def _value(value: Any) -> str:
    text = _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}… ({len(text):,} characters)"


def summarize(tool: str, result: dict[str, Any] | None, items: list[Any] | None, total: int | None) -> Preview:
    """Return what a preview found: how many, which, a few examples. `result` None means that nothing is there."""
    if result is None:
        return Preview(f"{tool} finds nothing there now.", "nothing")
    digest = sha256(
        json.dumps([items if items is not None else result, total], sort_keys=True, default=str).encode()
    ).hexdigest()
    if items is None:
        return Preview(f"{tool} shows now: {_value(result)}", digest)
    count = f"{total:,}" if total is not None and total >= len(items) else f"at least {len(items):,}"
    examples = ", ".join(_name(item) for item in items[:SHOWN_EXAMPLES])
    return Preview(f"{tool} finds {count} now{f', such as {examples}' if examples else ''}.", digest)


def copied(counts: list[str], examples: list[tuple[str, Any]], records: int, *, beyond: int | None) -> str:
    """Return what is there before the call, and is copied: how much of what, and a few examples.

    `beyond` is how many would be copied, where there are more.
    """
    if beyond is not None:
        return f"There now: more than {beyond:,} records."
    if records == 0:
        return "Nothing is there now."
    if records == 1:
        name, value = examples[0]
        return f"There now: {_clean(name)} {_value(value)}"
    return f"There now: {', '.join(counts)}, such as {', '.join(_value(name) for name, _ in examples)}."


NAMING = ("address", "name", "value", "id", "url", "tag", "domain", "ip", "login")


def _name(item: Any) -> str:
    if isinstance(item, dict):
        found = next((item[key] for key in NAMING if item.get(key)), None)
        return _value(found if found is not None else item)
    return _value(item)


FormResult = Literal[
    "yes", "declined", "cancelled", "timeout", "empty", "wrong", "unknown", "other", "replay", "broken"
]

REFUSALS: dict[FormResult, str] = {
    "declined": "the person said no",
    "cancelled": "the person closed the question without an answer",
    "timeout": "nobody answered in time",
    "empty": "the answer was empty",
    "wrong": "what was typed is not the name of what would be touched",
    "unknown": "the answer holds something that was not asked for",
    "other": "the answer belongs to another call",
    "replay": "the confirmation was used already",
    "broken": "the question could not be asked",
}


def read_answer(form: Form, action: str, content: dict[str, Any] | None) -> FormResult:
    """Return what an answer to the form means. Only the exact yes is a yes."""
    if action != "accept":
        return "declined" if action == "decline" else "cancelled"
    if not content:
        return "empty"
    if set(content) != {"confirm"}:
        return "unknown"
    given = content["confirm"]
    if form.typed is None:
        return "yes" if given is True else "declined"
    if not isinstance(given, str) or not given.strip():
        return "empty"
    return "yes" if given.strip() == form.typed else "wrong"
