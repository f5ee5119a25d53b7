"""Keys that were renamed are read for one release, and named by their new word."""

import pytest

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.file.load import PolicyError, parse_policy
from mailgun_mcp.policy.file.old_keys import with_new_keys
from mailgun_mcp.text.yaml import read

OLD = """\
version: 1
extends: unguarded
rules:
  - match: {caller: "intern-*"}
    decision: deny
journal: {personal: false}
undo:
  beyond: allow
tests:
  - call: "list_domains {}"
    facts: {caller: intern-1}
    expect: deny
"""
NEW = OLD.replace("caller", "principal").replace("journal", "audit").replace("beyond", "too_many")


def test_an_old_file_says_the_same_as_a_new_one() -> None:
    catalogue = Catalogue.load()
    old, new = parse_policy(OLD, catalogue), parse_policy(NEW, catalogue)
    assert old.audit == new.audit
    assert not old.audit.personal
    assert old.undo == new.undo
    assert old.tests == new.tests
    assert old.digest == new.digest


def test_lines_stay_those_of_the_file() -> None:
    document = with_new_keys(read(OLD))
    assert document.line(("audit", "personal")) == 6
    assert document.line(("undo", "too_many")) == 8
    assert document.line(("rules", 0, "match", "principal")) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "version: 1\njournal: {reads: false}\naudit: {reads: false}\n",
            "policy.yaml:2: 'journal' is the old name of 'audit': keep one",
        ),
        ("version: 1\njournal: {reads: 3}\n", "policy.yaml:2: audit.reads: should be true or false"),
    ],
)
def test_a_fault_names_the_new_key_and_the_line(text: str, problem: str) -> None:
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, Catalogue.load())
    assert problem in raised.value.problems


@pytest.mark.parametrize("text", ["[]", "rules: 3", "rules: [3]", "undo: []", "tests: [{facts: 1}]"])
def test_a_file_of_the_wrong_shape_is_left_as_it_is(text: str) -> None:
    assert with_new_keys(read(text)) == read(text)
