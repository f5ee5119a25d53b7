"""Mistakes in YAML are told in the words of somebody who wrote it by hand, with the line of the mistake."""

import pytest
import yaml

from mailgun_mcp.text.yaml_errors import sentence


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\ndomain: *.example.com", 2, 'a value that starts with * must be in quotes: write "*.example.com"'),
        ("a: [b, *.example.com]", 1, 'a value that starts with * must be in quotes: write "*.example.com"'),
        ("a: &.b", 1, 'a value that starts with & must be in quotes: write "&.b"'),
        ("a:\n\t- b", 2, "a line is indented with a tab. Use spaces"),
        ("a: @b", 1, "a value that starts with @ must be in quotes"),
        ("a: %b", 1, "a value that starts with % must be in quotes"),
        ("a: b: c", 1, "a value contains a colon and a space. Put the value in quotes, or check the line before"),
        (
            "a:\n  b: 1\n c: 2",
            3,
            "this line is indented differently from those above, or a value before it has a stray quote",
        ),
        ("a: [1, 2\nb: 3", 2, "a list in brackets has no comma here, or no ] at its end"),
        ("a: {b: 1\nc: 2", 2, "a mapping in braces has no comma here, or no } at its end"),
        ("a: 1\nb: 'x\nc: 1", 2, "a quote is not closed"),
        ('a: "\\d"', 1, "\\d is not valid in double quotes. Use single quotes"),
        ("a: }", 1, "} has no opening bracket"),
        ("a: [", 1, "a value is missing, or a bracket is not closed"),
        ("a: 1\n---\nb: 2", 2, "a second document starts here (---). Write only one"),
        ("a: | x\n b", 1, "after | or > the text starts on the next line"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(text: str, line: int, said: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        yaml.compose(text, Loader=yaml.SafeLoader)
    assert sentence(caught.value, text) == (line, said)


def test_what_has_no_sentence_is_told_in_the_words_of_the_parser() -> None:
    assert sentence(yaml.MarkedYAMLError(problem="odd"), "") == (1, "odd")
