"""Filter expressions: what binds what, what is quoted, and what is refused."""

import pytest

from mailgun_mcp.simulator.analytics.filter_expressions import parse_expression
from mailgun_mcp.simulator.replies.reply import ApiError


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("a", True),
        ("b", False),
        ("a OR b", True),
        ("a AND b", False),
        ("a AND NOT b", True),
        ("NOT a", False),
        ("NOT NOT a", True),
        ("'a'", True),
        ('"a"', True),
        ('"a OR b"', False),
        ("b AND b OR a", True),
        ("b AND (b OR a)", False),
        ("NOT (b OR c)", True),
        ("NOT b AND NOT c", True),
        ("a b", False),
    ],
)
def test_expressions(expression: str, truth: bool) -> None:
    assert parse_expression(expression)(lambda text: text == "a") is truth


def test_words_side_by_side_are_one_term() -> None:
    assert parse_expression("it's  your order OR b")(lambda text: text == "it's your order")


def test_terms_are_in_lower_case() -> None:
    assert parse_expression("'Order OR' AND Shop")(lambda text: text in ("order or", "shop"))


@pytest.mark.parametrize("expression", ["", "OR", "a OR", "AND a", "(a", "a)", "NOT", "a (b)"])
def test_what_is_not_well_formed_is_refused(expression: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter expression"):
        parse_expression(expression)
