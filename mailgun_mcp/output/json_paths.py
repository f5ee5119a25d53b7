"""Places in a result (`/items/*/error`, `/` for all of it), as the catalogue declares them."""

from collections.abc import Callable
from functools import cache
from typing import Any

Tree = dict[str, Any]
Path = tuple[str, ...]
Visit = Callable[[Any, Path, str], Any]

EVERYTHING = ""
"""The key of a tree that says: this place, with all below it. Its value is the place as it was declared."""
MISFITS = "unexpected"
"""Where `shape` keeps what the output schema does not expect."""


@cache
def tree_of(places: tuple[str, ...]) -> Tree:
    """Return the places as one tree; it is shared, and not to be changed."""
    tree: Tree = {}
    # What the schema does not expect was moved out of its place: it is what its place would have been.
    for place in (*places, *([f"/{MISFITS}"] if places else [])):
        branch = tree
        for key in place.split("/")[1:] if place != "/" else ():
            branch = branch.setdefault(key, {})
        branch[EVERYTHING] = place
    return tree


def replace(value: Any, tree: Tree, visit: Visit, path: Path = ()) -> Any:
    """Return `value` with what `visit(value, path, place)` gives at each place of the tree.

    Nothing is changed in place; keys and items keep their order.
    """
    if EVERYTHING in tree:
        return visit(value, path, tree[EVERYTHING])
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


def pointer(path: Path) -> str:
    """Return the path as text: `/items/0/error`."""
    return "/" + "/".join(path)


def _branch(tree: Tree, key: str) -> Tree | None:
    named, every = (tree.get(key) if key != EVERYTHING else None), tree.get("*")
    return _union(named, every) if named and every else named or every


def _union(one: Tree, other: Tree) -> Tree:
    both = {key: _union(one[key], other[key]) for key in one.keys() & other.keys() if key != EVERYTHING}
    return {**one, **other, **both}
