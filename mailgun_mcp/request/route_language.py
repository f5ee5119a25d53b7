"""The language of routes: expressions that select mail, and actions that are performed with it.

match_recipient("^support\\+(.*)@example.com$") and match_header("subject", ".*urgent")
forward("https://example.com/mail?id=\\1"), store(notify="https://example.com/new"), stop()
"""

import re
from collections.abc import Callable, Mapping
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
    """An expression or action that is not valid."""


@dataclass(frozen=True, slots=True)
class RouteInput:
    """The mail that expressions are matched against."""

    recipient: str
    headers: Mapping[str, str]
    """Header name in lower case -> value."""
    caught: bool
    """Whether an earlier route matched."""


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """One filter of an expression, such as `match_recipient(...)`."""

    kind: str
    header: str
    pattern: re.Pattern[str]

    def match(self, mail: RouteInput) -> Captures | None:
        """Return the captured groups, or None if the mail does not match."""
        if self.kind == "catch_all":
            return None if mail.caught else ()
        text = mail.recipient if self.kind == "match_recipient" else mail.headers.get(self.header)
        match = self.pattern.match(text) if text is not None else None
        return (match,) if match else None


@dataclass(frozen=True, slots=True)
class CombinedExpression:
    """Expressions joined by one operator."""

    operator: Literal["and", "or"]
    parts: tuple["RouteFilter | CombinedExpression", ...]

    def match(self, mail: RouteInput) -> Captures | None:
        """Return the captured groups, or None if the mail does not match."""
        results = [part.match(mail) for part in self.parts]
        matched = [result for result in results if result is not None]
        if self.operator == "or":
            return matched[0] if matched else None
        return tuple(match for result in matched for match in result) if len(matched) == len(results) else None


RouteExpression = RouteFilter | CombinedExpression


@dataclass(frozen=True, slots=True)
class RouteAction:
    """What is done with a mail: forward it, store it, or stop trying further routes."""

    kind: Literal["forward", "store", "stop"]
    targets: tuple[str, ...] = ()

    def filled_in(self, captures: Captures) -> "RouteAction":
        """Return the action with the captured groups filled into its targets."""
        return RouteAction(self.kind, tuple(_filled_in(target, captures) for target in self.targets))

    def __str__(self) -> str:
        argument = ", ".join(self.targets)
        named = f'notify="{argument}"' if self.kind == "store" else f'"{argument}"'
        return f"{self.kind}({named if argument else ''})"


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> RouteExpression:
    """Parse an expression. Raises RouteSyntaxError if `text` is not one."""
    reader = _Reader(text)
    try:
        expression = _either(reader)
    except RecursionError as error:
        raise RouteSyntaxError("too many parentheses") from error
    reader.end()
    return expression


@lru_cache(maxsize=1024)
def parse_action(text: str) -> RouteAction:
    """Parse an action. Raises RouteSyntaxError if `text` is not one."""
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
    raise RouteSyntaxError(f"{text!r} is not forward(), store() or stop()")


class _Reader:
    """Returns the tokens of a text one by one."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            token = TOKEN.match(text, position)
            if token is None:
                raise RouteSyntaxError(f"unexpected {text[position:].strip()[:1]!r}")
            self._tokens.append(token.group().strip())
            position = token.end()

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
    return _combined(reader, "or", _all)


def _all(reader: _Reader) -> RouteExpression:
    return _combined(reader, "and", _one)


def _combined(
    reader: _Reader, operator: Literal["and", "or"], read_part: Callable[[_Reader], RouteExpression]
) -> RouteExpression:
    parts = [read_part(reader)]
    while reader.peek().lower() == operator:
        reader.take()
        parts.append(read_part(reader))
    return parts[0] if len(parts) == 1 else CombinedExpression(operator, tuple(parts))


def _one(reader: _Reader) -> RouteExpression:
    if reader.peek() == "(":
        reader.take()
        inner = _either(reader)
        reader.take(")")
        return inner
    name, arguments = _call(reader)
    values = list(arguments.values())
    if ARITY.get(name) != len(values):
        raise RouteSyntaxError(f"{name!r} is not match_recipient(), match_header() or catch_all()")
    header = values[0].lower() if name == "match_header" else ""
    return RouteFilter(name, header, _pattern(values[-1] if values else ""))


def _call(reader: _Reader) -> tuple[str, dict[str, str]]:
    """Read a call. An argument without a name gets its position as its name."""
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
    # Only quotes are escaped: other backslashes belong to the regular expression.
    return token[1:-1].replace("\\" + token[0], token[0])


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE | re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise RouteSyntaxError(f"{text!r} is not a regular expression: {error}") from error


def _filled_in(target: str, captures: Captures) -> str:
    return CAPTURE.sub(lambda reference: _captured(reference, captures), target)


def _captured(reference: re.Match[str], captures: Captures) -> str:
    """Return the group from the first match that has it."""
    group: int | str = reference[2] or int(reference[1])
    for match in captures:
        groups = match.re.groupindex if isinstance(group, str) and not group.isdigit() else range(match.re.groups + 1)
        key = int(group) if isinstance(group, str) and group.isdigit() else group
        if key in groups:
            return match[key] or ""
    return ""
