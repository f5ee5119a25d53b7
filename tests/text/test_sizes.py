"""The size of a value is about that of its JSON, and no more of it is read than is needed."""

import json

from hypothesis import given

from mailgun_mcp.text.sizes import count_of, size_of
from tests.support.json_values import JSON


@given(JSON)
def test_the_size_is_about_that_of_the_json(value: object) -> None:
    size = len(json.dumps(value, ensure_ascii=False))
    assert size / 4 - 40 <= size_of(value, 10**9) <= size * 9 + 40


def test_of_a_large_value_only_the_beginning_is_read() -> None:
    assert 1000 < size_of(["x" * 100] * 1_000_000, 1000) < 1200


def test_a_deep_value_is_large() -> None:
    value: list[object] = []
    for _ in range(900):
        value = [value]
    assert size_of(value, 10_000) > 10_000


def test_counts_are_written_in_words() -> None:
    assert [count_of(number, "item") for number in (0, 1, 2000)] == ["0 items", "1 item", "2,000 items"]
