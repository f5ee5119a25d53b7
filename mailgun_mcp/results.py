"""Fits results into a model's context: what is too long is cut, kept, and read on in parts."""

import json
from collections import OrderedDict
from secrets import token_urlsafe
from typing import Any

LIMIT = 64_000
"""Characters of a result. 25,000 tokens is the cap of common clients; dense JSON has 2.6 a token."""
KEPT = 32
KEPT_CHARACTERS = 64 * 1024 * 1024


def compact(value: Any) -> str:
    """Return `value` as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Results:
    """The last results that were too long, for `read_result`. Bounded in number and in size."""

    def __init__(self, *, limit: int = LIMIT, kept: int = KEPT, kept_characters: int = KEPT_CHARACTERS) -> None:
        self.limit = limit
        self._kept = kept
        self._kept_characters = kept_characters
        self._texts: OrderedDict[str, str] = OrderedDict()

    def fit(self, structured: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the result and its text, cut when it is too long; the cut one says how to read on."""
        text = compact(structured)
        if len(text) <= self.limit:
            return structured, text
        name = self._keep(text)
        short = _shrink(structured, self.limit * 3 // 4)
        short["cut"] = {
            "characters": len(text),
            "read_on": f"The result is too long and was cut. read_result with result={name!r} reads the whole of it in parts.",
        }
        return short, compact(short)

    def read(self, name: str, offset: int) -> dict[str, Any] | None:
        """Return the part of a kept result from `offset` on, or None when it is no longer kept."""
        text = self._texts.get(name)
        if text is None:
            return None
        part = text[offset : offset + self.limit // 2]
        reached = offset + len(part)
        following = {"result": name, "offset": reached} if reached < len(text) else None
        return {"text": part, "characters": len(text), "next": following}

    def _keep(self, text: str) -> str:
        name = token_urlsafe(12)
        self._texts[name] = text
        while len(self._texts) > 1 and (
            len(self._texts) > self._kept or sum(map(len, self._texts.values())) > self._kept_characters
        ):
            self._texts.popitem(last=False)
        return name


def _shrink(value: Any, budget: int) -> Any:
    """Return `value` cut to about `budget` characters, with every type as it was."""
    if isinstance(value, str) and len(value) > budget:
        return f"{value[: max(budget, 0)]}… [cut: {len(value):,} characters in all]"
    if isinstance(value, list):
        return _shrink_list(value, budget)
    if isinstance(value, dict):
        return _shrink_dict(value, budget)
    return value


def _shrink_list(items: list[Any], budget: int) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        size = len(compact(item)) + 1
        if size > budget:
            if not kept:
                kept.append(_shrink(item, budget))
            break
        kept.append(item)
        budget -= size
    return kept


def _shrink_dict(fields: dict[str, Any], budget: int) -> dict[str, Any]:
    """Small fields stay whole; the large ones share what is left."""
    sizes = {name: len(compact(item)) + len(name) + 4 for name, item in fields.items()}
    shrunk = dict(fields)
    left = len(fields)
    for name in sorted(fields, key=sizes.__getitem__):
        share = budget // left
        if sizes[name] > share:
            shrunk[name] = _shrink(fields[name], share - len(name) - 4)
        budget -= min(sizes[name], share)
        left -= 1
    return shrunk
