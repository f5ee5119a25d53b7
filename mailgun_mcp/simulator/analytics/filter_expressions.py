"""Filter expressions of `/events`: `a OR b`, `a AND b`, `NOT a`, parentheses, quoted text."""

import re
from collections.abc import Callable

from mailgun_mcp.simulator.replies.reply import ApiError

TermTest = Callable[[str], bool]
FilterExpression = Callable[[TermTest], bool]

TOKEN = re.compile(r"""\s*(?:(?P<mark>[()])|(?P<quote>["'])(?P<quoted>.*?)(?P=quote)(?=[\s)]|$)|(?P<word>[^\s()]+))""")
OPERATORS = frozenset({"AND", "OR", "NOT", "(", ")"})

FilterToken = tuple[bool, str]
"""Whether the token is an operator, and the text of the token."""


def parse_expression(text: str) -> FilterExpression:
    """Return a function that takes a test for single terms and applies the whole expression with it.

    Adjacent words form one term. Terms are in lower case. Raises ApiError when the expression is malformed.
    """
    parser = _Parser(text)
    expression = parser.alternatives()
    if parser.tokens:
        raise parser.refusal()
    return expression


def simple_alternatives(text: str) -> list[str] | None:
    """Return the terms when the expression is just `a OR b OR …`, else None."""
    options = [""]
    for is_operator, word in _tokens(text):
        if is_operator and word != "OR":
            return None
        if is_operator:
            options.append("")
        else:
            options[-1] = f"{options[-1]} {word}".strip()
    return options


class _Parser:
    """Recursive descent: OR binds weaker than AND, AND weaker than NOT."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.tokens = _tokens(text)

    def alternatives(self) -> FilterExpression:
        options = [self._conjunction()]
        while self._take("OR"):
            options.append(self._conjunction())
        return options[0] if len(options) == 1 else lambda test: any(option(test) for option in options)

    def refusal(self) -> ApiError:
        return ApiError(400, f"Invalid filter expression: {self._text}")

    def _conjunction(self) -> FilterExpression:
        parts = [self._negation()]
        while self._take("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda test: all(part(test) for part in parts)

    def _negation(self) -> FilterExpression:
        if self._take("NOT"):
            inner = self._negation()
            return lambda test: not inner(test)
        if self._take("("):
            inner = self.alternatives()
            if not self._take(")"):
                raise self.refusal()
            return inner
        return self._term()

    def _term(self) -> FilterExpression:
        words = []
        while self.tokens and not self.tokens[0][0]:
            words.append(self.tokens.pop(0)[1])
        if not words:
            raise self.refusal()
        term = " ".join(words).lower()
        return lambda test: test(term)

    def _take(self, operator: str) -> bool:
        if self.tokens[:1] == [(True, operator)]:
            self.tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> list[FilterToken]:
    return [_token(match) for match in TOKEN.finditer(text)]


def _token(match: re.Match[str]) -> FilterToken:
    if match["quote"]:
        return False, match["quoted"]
    text = match["mark"] or match["word"]
    return text in OPERATORS, text
