"""Names say what a value is, and what has one meaning is defined once."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mailgun_mcp

PACKAGE = Path(mailgun_mcp.__file__).parent

SAY_NOTHING = frozenset({"found", "told", "kept", "known", "place"})
"""What became of a value, but not what it is: `match`, `addresses` and `path` say that."""
REPLACED = frozenset(
    {
        *("look", "looked", "looker", "held", "redeem", "elevation", "things", "touches", "touched", "box"),
        *("happenings", "admission", "nearest", "settle", "intend", "permit", "beforehand"),
    }
)
"""Words of our own where the field has a term; see the vocabulary in docs/architecture.md."""
ALLOWED = {("call/secret_store.py", "place"), ("call/shared_secret_store.py", "place")}
"""A column of the state and a key of the stored files, which older versions wrote."""


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
