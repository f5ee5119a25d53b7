"""YAML means the same wherever it is read: YAML 1.2's plain values, no duplicate keys, every fault with its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.compile.front_matter import read_front_matter
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import parse_document
from mailgun_mcp.policy.file import load
from mailgun_mcp.policy.file.load import PolicyError
from mailgun_mcp.simulator.worlds import scenario
from mailgun_mcp.simulator.worlds.scenario import ScenarioError
from mailgun_mcp.text.yaml import YamlError, read, read_shared

PLAIN: dict[str, Any] = {
    "no": "no",
    "yes": "yes",
    "on": "on",
    "off": "off",
    "true": True,
    "FALSE": False,
    "null": None,
    "~": None,
    "": None,
    "~x": "~x",
    "12:30": "12:30",
    "2026-01-01": "2026-01-01",
    "1_000": "1_000",
    "0o17": 15,
    "0x1F": 31,
    "017": 17,
    "08": 8,
    "-5": -5,
    "+5": 5,
    "0b1": "0b1",
    "1.5": 1.5,
    ".5": 0.5,
    "5.": 5.0,
    "1e3": 1000.0,
    "18446744073709551615": 18446744073709551615,
    "'no'": "no",
    "=": "=",
    "a b": "a b",
}
REFUSED = {
    "a: 1\na: 2\n": "duplicate key 'a' (first on line 1)",
    "a: 1\n'a': 2\n": "duplicate key 'a' (first on line 1)",
    "b: 1\na: !!binary aGk=\n": "the tag 'binary' is not supported",
    "b: 1\na: 1e999\n": "the number is too large",
    "b: 1\na: .inf\n": ".inf is not supported: write a number, or quote the text",
    "b: 1\na: .nan\n": ".nan is not supported: write a number, or quote the text",
    "b: 1\na: 123456789012345678901\n": "the number is too long",
    "b: 1\n? [a]\n: 1\n": "a key must be text",
}
"""Text -> what is wrong in its second line."""


class Anything(BaseModel, extra="allow"):
    """What a reader makes of a file, before it checks the shape."""


def as_policy(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read `text` as a policy file, whatever its keys."""
    monkeypatch.setattr(load, "PolicyDocument", Anything)
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    source = load._Source(path.name, path, Catalogue.load(), ())
    return load._validated(read(text, calls=True), source)


def as_catalogue(text: str, folder: Path, _: pytest.MonkeyPatch) -> Any:
    """Read `text` in front of the keys that make a document."""
    path = folder / "tools.yaml"
    path.write_text(f"{text}openapi: 3.1.0\npaths: {{}}\n", encoding="utf-8")
    document = parse_document(path)
    return {name: value for name, value in document.items() if name not in ("openapi", "paths")}


def as_scenario(text: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read `text` as a scenario, whatever its keys."""
    monkeypatch.setattr(scenario, "Scenario", Anything)
    return scenario.parse_scenario(text, "scenario.yaml").model_dump()


def as_prompt(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read `text` as the front matter of a prompt, whatever its keys."""
    path = folder / "prompt.md"
    path.write_text(f"---\n{text}---\nBody\n", encoding="utf-8")
    return read_front_matter(path, Anything)[0].model_dump()


READERS = {
    "policy": (as_policy, 2),
    "catalogue": (as_catalogue, 2),
    "scenario": (as_scenario, 2),
    "prompt": (as_prompt, 3),
}
"""Each way in, and the line of its file that has the second line of a text."""

Reader = tuple[Callable[[str, Path, pytest.MonkeyPatch], Any], int]


@pytest.fixture(params=list(READERS.values()), ids=list(READERS))
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.param
    return found


def test_plain_values_mean_the_same_everywhere(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"key{index}: {plain}\n" for index, plain in enumerate(PLAIN))
    values = reader[0](text, tmp_path, monkeypatch)
    # As JSON: in Python 1 is True.
    assert json.dumps(list(values.values())) == json.dumps(list(PLAIN.values()))


@pytest.mark.parametrize(("text", "problem"), REFUSED.items())
def test_what_is_refused_is_refused_everywhere_with_its_line(
    text: str, problem: str, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, line = reader
    with pytest.raises((PolicyError, CatalogueError, ScenarioError)) as refused:
        parse(text, tmp_path, monkeypatch)
    assert problem in str(refused.value)
    assert f":{line}: " in str(refused.value) or f"line {line}: " in str(refused.value)


def test_keys_are_text_as_written() -> None:
    assert read("200: a\ntrue: b\nnull: c\n0o17: d\n").value == {"200": "a", "true": "b", "null": "c", "0o17": "d"}


def test_every_part_has_its_line() -> None:
    document = read("a: 1\nb:\n  - c: 2\n  -\n    d: 3\n")
    assert document.line(("b", 1, "d")) == 5
    assert document.line(("b", 0, "c", "not there")) == 3
    assert document.line(("z",)) == 1


@pytest.mark.parametrize("text", ["a: &x 1", "a: *x", "a: &x {}\nb: *x"])
def test_what_a_person_writes_has_no_anchors(text: str) -> None:
    with pytest.raises(YamlError, match="anchors and aliases are not supported: write it out"):
        read(text)


@pytest.mark.parametrize("text", ["[" * 20_000, "- " * 20_000, "{a: " * 20_000])
@pytest.mark.parametrize("parse", [read, read_shared])
def test_deep_nesting_is_refused(text: str, parse: Callable[[str], Any]) -> None:
    with pytest.raises(YamlError, match="nested too deeply"):
        parse(text)


def test_a_long_text_is_refused() -> None:
    with pytest.raises(YamlError, match="longer than 1,000,000 characters"):
        read("a" * 1_000_001)


def test_shared_documents_follow_anchors_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree: {y: 4, <<: [*b, {z: 5}]}\n"
    document = read_shared(text).checked()
    assert document.value == {
        "base": {"x": 1, "y": 2},
        "one": {"x": 1, "y": 2},
        "two": {"x": 1, "y": 3},
        "three": {"x": 1, "y": 4, "z": 5},
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &a [*a]", "an alias refers to a value that contains it"),
        ("a: &a {b: {c: *a}}", "an alias refers to a value that contains it"),
        ("a: {<<: 3}", "<< needs a mapping"),
    ],
)
def test_shared_documents_are_refused_where_an_alias_leads_nowhere(text: str, problem: str) -> None:
    assert read_shared(text).problems == ((1, problem),)


def test_an_alias_costs_nothing_however_often_it_is_named() -> None:
    levels = "".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]\n" for level in range(1, 60))
    assert read_shared(f"l0: &l0 [x]\n{levels}").problems == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("call: delete_domain {name: a.example.com}", "delete_domain {name: a.example.com}"),
        ("- call: delete_domain {name: a.example.com}  # why", "delete_domain {name: a.example.com}"),
        ("call: delete_domain {name: 'a # b'}\nexpect: deny", "delete_domain {name: 'a # b'}"),
        ("'call': delete_domain {name: it's}\r\nexpect: deny", "delete_domain {name: it's}"),
        ("call: list_domains", "list_domains"),
        ('call: "delete_domain {name: a}"', "delete_domain {name: a}"),
        ("call: delete_domain\n  {name}", "delete_domain {name}"),
    ],
)
def test_a_call_needs_no_quotes(text: str, value: str) -> None:
    document = read(text, calls=True).checked().value
    found = document[0] if isinstance(document, list) else document
    assert found["call"] == value


@pytest.mark.parametrize("text", ["reason: delete_domain {name: a}", "{call: delete_domain {name: a}}", "call: a: b"])
def test_only_the_value_of_call_is_read_so(text: str) -> None:
    with pytest.raises(YamlError):
        read(text, calls=True)


def test_a_call_without_quotes_is_not_yaml_elsewhere() -> None:
    with pytest.raises(YamlError, match="a value contains a colon and a space"):
        read("call: delete_domain {name: a.example.com}")


PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "call: ",
        "x {y: z}",
        "\n",
        "\n  ",
        "- ",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ", ",
        "# c",
        "1",
        "~",
        "|",
        "é",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_both_parsers_read_the_same(text: str) -> None:
    """What a policy means to the parser in Python, a catalogue means to libyaml."""
    try:
        strict = read(text)
    except YamlError:
        return
    try:
        shared = read_shared(text)
    except YamlError:
        # libyaml refuses a little more, and never reads anything else.
        return
    assert (strict.value, strict.problems) == (shared.value, shared.problems)


TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=10)
LEAVES = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)))
def test_json_is_read_as_json_reads_it(value: Any) -> None:
    assert read(json.dumps(value)).checked().value == value


@pytest.mark.parametrize("text", ['a: "\\ud800"', '"\\ud800": a', 'a: "\\ud83d\\ude00"'])
def test_half_a_character_is_refused(text: str) -> None:
    with pytest.raises(YamlError, match=r"invalid character \(lone surrogate\)"):
        read(text).checked()
    with pytest.raises(YamlError):
        read_shared(text).checked()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40))
def test_quoted_text_is_what_it_says(text: str) -> None:
    assert read(yaml.safe_dump({"k": text}, allow_unicode=True, default_style="'")).checked().value == {"k": text}
