"""The language of routes: expressions that say which mail, and actions that say what is done with it.

match_recipient("^support\\+(.*)@example.com$") and match_header("subject", ".*urgent")
forward("https://example.com/mail?box=\\1"), store(notify="https://example.com/new"), stop()
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<name>[A-Za-z_]\w*)|(?P<sign>[(),=]))""", re.DOTALL
)
CAPTURE = re.compile(r"\\(?:([1-9]\d?)|g<(\w+)>)")
ARITY = {"match_recipient": 1, "match_header": 2, "catch_all": 0}

Captures = tuple[re.Match[str], ...]


class RouteSyntaxError(ValueError):
    """An expression or action that is not of the language."""


@dataclass(frozen=True, slots=True)
class RouteInput:
    """What expressions look at."""

    recipient: str
    headers: Mapping[str, str]
    """By name in lower case."""
    caught: bool
    """Whether an earlier route took the mail."""


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """One call of an expression."""

    kind: str
    header: str
    pattern: re.Pattern[str]

    def holds(self, facts: RouteInput) -> Captures | None:
        """Return what was captured, or None when it does not hold."""
        if self.kind == "catch_all":
            return None if facts.caught else ()
        text = facts.recipient if self.kind == "match_recipient" else facts.headers.get(self.header)
        found = self.pattern.match(text) if text is not None else None
        return (found,) if found else None


@dataclass(frozen=True, slots=True)
class CombinedExpression:
    """Expressions joined by one operator."""

    operator: Literal["and", "or"]
    parts: tuple["RouteFilter | CombinedExpression", ...]

    def holds(self, facts: RouteInput) -> Captures | None:
        """Return what was captured, or None when it does not hold."""
        answers = [part.holds(facts) for part in self.parts]
        held = [answer for answer in answers if answer is not None]
        if self.operator == "or":
            return held[0] if held else None
        return tuple(found for answer in held for found in answer) if len(held) == len(answers) else None


RouteExpression = RouteFilter | CombinedExpression


@dataclass(frozen=True, slots=True)
class RouteAction:
    """What is done with a mail: forward or store it, or leave it to no later route."""

    kind: Literal["forward", "store", "stop"]
    targets: tuple[str, ...] = ()

    def filled_in(self, captures: Captures) -> "RouteAction":
        """Return the action with what the expression captured in its targets."""
        return RouteAction(self.kind, tuple(_filled_in(target, captures) for target in self.targets))

    def __str__(self) -> str:
        argument = ", ".join(self.targets)
        named = f'notify="{argument}"' if self.kind == "store" else f'"{argument}"'
        return f"{self.kind}({named if argument else ''})"


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> RouteExpression:
    """Return the expression that `text` is. Raises RouteFault when it is none."""
    reader = _Reader(text)
    try:
        expression = _either(reader)
    except RecursionError as error:
        raise RouteSyntaxError("too many parentheses") from error
    reader.end()
    return expression


@lru_cache(maxsize=1024)
def parse_action(text: str) -> RouteAction:
    """Return the action that `text` is. Raises RouteFault when it is none."""
    reader = _Reader(text)
    name, arguments = _call(reader)
    reader.end()
    targets = tuple(target.strip() for argument in arguments.values() for target in argument.split(","))
    match name, list(arguments):
        case "forward", [_, *_] if all(targets) and "notify" not in arguments:
            return RouteAction("forward", targets)
        case "store", [] | ["notify"] | ["0"] if all(targets):
            return RouteAction("store", targets)
        case "stop", []:
            return RouteAction("stop")
    raise RouteSyntaxError(f"{text!r} is none of forward(), store() and stop()")


class _Reader:
    """Hands out the tokens of a text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            found = TOKEN.match(text, place)
            if found is None:
                raise RouteSyntaxError(f"unexpected {text[place:].strip()[:1]!r}")
            self._tokens.append(found.group().strip())
            place = found.end()

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self, expected: str = "") -> str:
        if not self._tokens or (expected and self._tokens[0] != expected):
            raise RouteSyntaxError(f"expected {expected or 'more'!r} at {self.peek() or 'the end'!r}")
        return self._tokens.pop(0)

    def end(self) -> None:
        if self._tokens:
            raise RouteSyntaxError(f"unexpected {self._tokens[0]!r}")


def _either(reader: _Reader) -> RouteExpression:
    parts = [_all(reader)]
    while reader.peek().lower() == "or":
        reader.take()
        parts.append(_all(reader))
    return parts[0] if len(parts) == 1 else CombinedExpression("or", tuple(parts))


def _all(reader: _Reader) -> RouteExpression:
    parts = [_one(reader)]
    while reader.peek().lower() == "and":
        reader.take()
        parts.append(_one(reader))
    return parts[0] if len(parts) == 1 else CombinedExpression("and", tuple(parts))


def _one(reader: _Reader) -> RouteExpression:
    if reader.peek() == "(":
        reader.take()
        inner = _either(reader)
        reader.take(")")
        return inner
    name, arguments = _call(reader)
    values = list(arguments.values())
    if ARITY.get(name) != len(values):
        raise RouteSyntaxError(f"{name!r} is none of match_recipient(), match_header() and catch_all()")
    header = values[0].lower() if name == "match_header" else ""
    return RouteFilter(name, header, _pattern(values[-1] if values else ""))


def _call(reader: _Reader) -> tuple[str, dict[str, str]]:
    """Read a call; arguments without a name have their position for one."""
    name = reader.take()
    arguments: dict[str, str] = {}
    reader.take("(")
    while reader.peek() != ")":
        if arguments:
            reader.take(",")
        word = reader.take()
        key = str(len(arguments))
        if reader.peek() == "=":
            reader.take()
            key, word = word, reader.take()
        arguments[key] = _text(word)
    reader.take(")")
    return name, arguments


def _text(token: str) -> str:
    if token[0] not in "\"'":
        raise RouteSyntaxError(f"expected a text in quotes at {token!r}")
    # Only quotes are escaped: a backslash is the regular expression's.
    return token[1:-1].replace("\\" + token[0], token[0])


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE | re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise RouteSyntaxError(f"{text!r} is not a regular expression: {error}") from error


def _filled_in(target: str, captures: Captures) -> str:
    return CAPTURE.sub(lambda found: _captured(found, captures), target)


def _captured(asked: re.Match[str], captures: Captures) -> str:
    """Return the group of the first match that has it."""
    group: int | str = asked[2] or int(asked[1])
    for found in captures:
        known = found.re.groupindex if isinstance(group, str) and not group.isdigit() else range(found.re.groups + 1)
        key = int(group) if isinstance(group, str) and group.isdigit() else group
        if key in known:
            return found[key] or ""
    return ""
