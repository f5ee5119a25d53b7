"""Finds the values of a result that match path patterns in the catalogue: `/items/*/error`, or `/` for everything."""

from collections.abc import Callable
from functools import cache
from typing import Any

Tree = dict[str, Any]
JsonPath = tuple[str, ...]
Visit = Callable[[Any, JsonPath, str], Any]

EVERYTHING = ""
"""The key in a tree that marks the end of a pattern: all below it matches. Its value is the pattern as declared."""
LEFT_OUT = "left_out"
"""The key under which `shorten` names the fields that a result leaves out."""
MISFITS = "unexpected"
"""The key under which `shape` puts what the output schema does not expect."""


@cache
def tree_of(patterns: tuple[str, ...]) -> Tree:
    """Return the patterns as one tree. It is cached and shared, so it must not be changed."""
    tree: Tree = {}
    # What the schema does not expect was moved under `unexpected`: treat it as if it still matched a pattern.
    for pattern in (*patterns, *([f"/{MISFITS}"] if patterns else [])):
        branch = tree
        for key in pattern.split("/")[1:] if pattern != "/" else ():
            branch = branch.setdefault(key, {})
        branch[EVERYTHING] = pattern
    return tree


def replace(value: Any, tree: Tree, visit: Visit, path: JsonPath = ()) -> Any:
    """Return `value` with the value at each place of the tree replaced by what `visit(value, path, place)` returns.

    Nothing is changed in place; keys and items keep their order.
    """
    if EVERYTHING in tree:
        return visit(value, path, tree[EVERYTHING])
    if isinstance(value, dict) and "*" not in tree:
        # A tree has few keys, an item many.
        changed = {key: replace(value[key], tree[key], visit, (*path, key)) for key in tree if key in value}
        return {**value, **changed} if changed else value
    if isinstance(value, dict):
        changed = {
            key: replace(item, branch, visit, (*path, key))
            for key, item in value.items()
            if (branch := _branch(tree, key))
        }
        return {**value, **changed} if changed else value
    if isinstance(value, list) and "*" in tree:
        return [replace(item, tree["*"], visit, (*path, str(index))) for index, item in enumerate(value)]
    return value


def pointer(path: JsonPath) -> str:
    """Return the path as text: `/items/0/error`."""
    return "/" + "/".join(path)


def _branch(tree: Tree, key: str) -> Tree | None:
    named, every = (tree.get(key) if key != EVERYTHING else None), tree.get("*")
    return _union(named, every) if named and every else named or every


def _union(one: Tree, other: Tree) -> Tree:
    both = {key: _union(one[key], other[key]) for key in one.keys() & other.keys() if key != EVERYTHING}
    return {**one, **other, **both}
