"""Builds HTML. Only the results of this module count as markup; all other text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

VOID = frozenset({"input", "meta", "link"})


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool) -> Markup:
    """Return an element. `_` in an attribute's name becomes `-`, except at the end.

    True makes an attribute without a value. False leaves the attribute out.
    """
    opened = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    if name in VOID:
        return Markup(f"<{name}{opened}>")
    return Markup(f"<{name}{opened}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Return the parts joined together. Each part that is not markup is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """Return a table, or a line of text if it has no rows."""
    body = joined(element("tr", *_cells(columns, row)) for row in rows)
    if not body:
        return joined([element("h2", caption), element("p", "Nothing here.", class_="none")])
    head = element("thead", element("tr", *(element("th", column, scope="col") for column in columns)))
    whole = element("table", element("caption", caption), head, element("tbody", body))
    # tabindex: people who use a keyboard must be able to focus and scroll the table.
    return element("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)


def pairs(caption: str, values: Iterable[tuple[str, Any]]) -> Markup:
    """Return a table of names and values."""
    rows = [
        element("tr", element("th", element("bdi", name), scope="row"), element("td", _cell(value)))
        for name, value in values
    ]
    return element("table", element("caption", caption), element("tbody", *rows), class_="pairs")


def _cells(columns: Sequence[str], row: Sequence[Any]) -> list[Markup]:
    # On a phone, each row is shown as a block, with the column's name beside each cell.
    return [element("td", _cell(value), data_column=column) for column, value in zip(columns, row, strict=True)]


def _cell(value: Any) -> str:
    # bdi: a change of text direction in one cell must not affect the next.
    return value if isinstance(value, Markup) else element("bdi", str(value))


def _attribute(name: str, value: str | bool) -> str:
    written = name.removesuffix("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value))}"'
