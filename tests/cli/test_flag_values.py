"""Values of flags: durations, positive integers, and times as people say them."""

import pytest

from mailgun_mcp.cli.flag_values import positive_integer, seconds
from mailgun_mcp.settings import SettingsError


def test_a_duration_is_read_in_seconds() -> None:
    assert (seconds("for", "15m"), seconds("for", "2h")) == (900, 7200)


@pytest.mark.parametrize("text", ["", "soon", "-5m"])
def test_what_is_not_a_duration_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--for: "):
        seconds("for", text)


def test_a_positive_integer_is_read() -> None:
    assert (positive_integer("limit", "1"), positive_integer("limit", "050")) == (1, 50)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "\u0661"])
def test_what_is_not_a_positive_integer_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--limit: .* must be a positive integer$"):
        positive_integer("limit", text)
