"""What is wrong with a policy file is said in the words of a policy file."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mailgun_mcp.policy.file.schema import MODELS, PolicyDocument
from mailgun_mcp.policy.file.schema_faults import problems_of
from mailgun_mcp.text.yaml import read

PYTHON = re.compile(r"Document|instance of|BaseModel|NoneType|Input should|\bdict\b|\bstr\b|\bint\b|Value error")


def messages(text: str) -> list[str]:
    """Return what is wrong with the YAML `text`, each with its line."""
    document = read(text)
    with pytest.raises(ValidationError) as raised:
        PolicyDocument.model_validate(document.value)
    return [f"{line}: {problem}" for line, problem in problems_of(raised.value, document)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nnotify: 3", "2: notify: should be a mapping"),
        ("version: 1\nrules: 3", "2: rules: should be a list"),
        ("version: 1\nundo:", "2: undo has no value: give it one, or leave it out"),
        ("version: 1\nsend: {test_mode: yes}", "2: send.test_mode: should be true or false"),
        ("version: 1\nsend: {recipients_per_call: many}", "2: send.recipients_per_call: should be a whole number"),
        (
            "version: 1\nsend: {recipient_per_call: 1}",
            "2: unknown key 'recipient_per_call': did you mean 'recipients_per_call'? (in send)",
        ),
        (
            "version: 1\nrules: [{name: only ann, match: {}, decision: allow}]",
            "2: rules[0].name: 'only ann' is not a name: write letters, digits, '-', '_' and '.', without spaces, at most 64",
        ),
        ("version: '1'", "1: version: write 1 without quotation marks"),
        ("version: 1\nrules: [{match: {}}]", "2: rules[0].decision is missing"),
        (
            "version: 1\nrules: [{match: {}, decision: alow}]",
            "2: rules[0].decision: unknown value 'alow': did you mean 'allow'?",
        ),
    ],
)
def test_a_fault_has_its_line_its_key_and_the_way_out(text: str, message: str) -> None:
    assert messages(text) == [message]


WRONG = st.sampled_from(["3", "[3]", "{x: 1}", "text", "", "true", "1.5"])
KEYS = [(path, name) for path, model in MODELS.items() for name in model.model_fields if len(path) < 2]


@given(st.sampled_from(KEYS), WRONG)
def test_no_message_speaks_of_python(key: tuple[tuple[str, ...], str], value: str) -> None:
    path, name = key
    text = f"{name}: {value}"
    for step in reversed(path):
        text = f"{step}: " + (f"[{{{text}}}]" if step in ("rules", "tests") else f"{{{text}}}")
    document = read(text)
    problems: list[tuple[int, str]] = []
    try:
        PolicyDocument.model_validate(document.value)
    except ValidationError as error:
        problems = list(problems_of(error, document))
    assert [problem for _, problem in problems if PYTHON.search(problem)] == []
