"""Turns of phrase and names that a reader stumbles over, which a spell checker does not know."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mailgun_mcp"
PROSE = ("*.md", "*.py", "*.yaml", "*.yml", "Makefile")
GENERATED = ("mailgun_mcp/_data/", "tests/")

BETTER = {
    r"\b(?:is|was|are|were|be) no (?!longer\b|more\b|such\b|one\b|need\b)[a-z]": "is not a ...",
    r"\bof which nobody\b": "... that nobody",
    r"\b(?:nothing|none|no one|not|all|else|same|stays?), but for\b|\bbut for (?:a|an|the|what|its|their)\b": "except for",
    r"\bbegins? anew\b": "start over",
    r"\banew\b": "again",
    r"\bundoable\b": "can be undone",
    r"\bno time at all\b": "not a time",
    r"\bgone on with\b": "continued",
    r"\bbelongs in no\b": "does not belong in any",
    r"\bin the box\b": "simulated",
}
"""Pattern -> what to write instead. `there is no ...` is plain English, and passes."""

SAY_NOTHING = frozenset({"found", "told", "said", "kept", "known", "wanted", "place"})
"""What became of a value, but not what it is: `match`, `addresses` and `path` say that."""
REPLACED = frozenset(
    {
        *("look", "looked", "looker", "held", "redeem", "elevation", "things", "touches", "touched", "box"),
        *("happenings", "admission", "nearest", "settle", "intend", "permit", "beforehand"),
    }
)
"""Words of our own where the field has a term; see the vocabulary in docs/architecture.md."""
ALLOWED = {
    *(("call/secret_store.py", "place"), ("call/shared_secret_store.py", "place")),
    ("identity/accounts.py", "wanted"),
}
"""Columns of the state and a key of the stored files, which older versions wrote."""


def prose() -> list[Path]:
    """Return the files under version control that people read or write."""
    done = subprocess.run(["git", "ls-files", "-z", *PROSE], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is not a git checkout")
    names = [name for name in done.stdout.split("\0") if name and not name.startswith(GENERATED)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_banned_turn_of_phrase_is_used() -> None:
    offenders = []
    for path in prose():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            plain = re.sub(r"\b(?:there|There) (?:is|was|are|were|be) no\b", "", line)
            for pattern, better in BETTER.items():
                if found := re.search(pattern, plain):
                    offenders.append(f"{path.relative_to(ROOT)}:{number}: {found[0]!r}: write {better!r}")
    assert offenders == []


@pytest.mark.parametrize("text", ["this is no account", "begin anew", "all but for a number", "It is undoable."])
def test_the_patterns_find_what_they_are_for(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in BETTER)


@cache
def trees() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names of variables, parameters, functions and classes, and their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno


def test_names_say_what_a_value_is_in_the_terms_of_the_field() -> None:
    offenders = [
        f"{path}:{line}: {name}"
        for path, tree in trees()
        for name, line in defined(tree)
        if name.strip("_").lower() in SAY_NOTHING | REPLACED and (path, name) not in ALLOWED
    ]
    assert offenders == []


def test_no_type_alias_is_defined_twice() -> None:
    modules: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, value = node.targets[0].id, node.value
                if not name.isupper() and isinstance(value, ast.Subscript | ast.BinOp):
                    modules[name, ast.unparse(value)].append(path)
    # One holds what a browser is sent, the other what Slack is sent.
    del modules["Chunk", "dict[str, Any]"]
    assert {alias: paths for alias, paths in modules.items() if len(paths) > 1} == {}
