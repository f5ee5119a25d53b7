"""What a JSON value contains at the ends of its branches."""

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(value: Any, *, names: bool = False) -> Iterator[Any]:
    """Yield every text, number, boolean and null in a JSON value. `names`: the names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if names:
                yield name
            yield from leaves(item, names=names)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item, names=names)
    else:
        yield value


def texts(value: Any, *, names: bool = False) -> Iterator[str]:
    """Yield every text in a JSON value. `names`: the names of fields too."""
    return (leaf for leaf in leaves(value, names=names) if isinstance(leaf, str))
