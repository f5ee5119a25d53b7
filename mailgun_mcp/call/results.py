"""Fits results into a model's context: a result that is too long is cut, stored, and read in parts."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Literal

from mailgun_mcp.catalogue.client_hints import RESULT_CHARACTERS
from mailgun_mcp.text.compact_json import compact

OVERHEAD = 800
"""Characters of a part besides its text: how to read on, and the fence with its notice."""
MOST_RESULTS = 32
SCANT = 60
"""Fewest characters to which something is cut."""
CUT = "… [cut: {:,} characters in all]"
FENCE_END = re.compile(r" ⟦[0-9a-f]{8}⟧\Z")
"""The end of a fence around third-party text; see `output.untrusted`."""
MOST_CHARACTERS = 64 * 1024 * 1024
KEPT_SECONDS = 3_600.0
"""How long a result can be read on, in seconds."""


@dataclass(slots=True)
class ReturnedFile:
    """A file that a call returned."""

    uri: str | None
    """URI of the resource for the file; None if there is none."""
    mime_type: str
    content: bytes = field(repr=False)
    is_text: bool
    linked: bool = False
    """Whether the result has only a link to it."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a call, or its error."""

    text: str
    structured: dict[str, Any] | None = None
    """The result that matches the tool's output schema; None for an error."""
    kind: Literal["done", "invalid", "refused", "failed"] = "done"
    approval: dict[str, Any] | None = None
    """The approval that the call waits for: id, level, expiry, and the form."""
    call: str = field(default="", compare=False)
    """The id of the call in the audit log; empty if it did not get that far."""
    pictures: tuple[tuple[str, bytes], ...] = ()
    """Pictures that belong to the result, each with its media type."""
    file: ReturnedFile | None = field(default=None, compare=False)

    @property
    def is_error(self) -> bool:
        """Whether the call failed."""
        return self.kind != "done"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made the call that a long result is from, and in which account. Nobody else can read the rest of it."""

    principal: str = ""
    account: str = ""
    """`Account.key`."""


NO_OWNER = Owner()


@dataclass(frozen=True, slots=True)
class KeptResult:
    """The whole text of a result that was too long."""

    name: str
    text: str
    owner: Owner
    boundary: str | None
    """The boundary of its fences, if it contains third-party text."""


class Results:
    """The server's latest results that were too long, for `read_result`. Limited in number, size and age.

    `call.kept_results` also stores them in the state, for a restarted server or another one.
    """

    def __init__(
        self,
        *,
        limit: int = RESULT_CHARACTERS,
        most_results: int = MOST_RESULTS,
        most_characters: int = MOST_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self._most_results = most_results
        self._most_characters = most_characters
        self._clock = clock
        self._results: OrderedDict[str, tuple[float, KeptResult]] = OrderedDict()
        self._unsaved: list[KeptResult] = []

    def fit(self, structured: dict[str, Any], owner: Owner = NO_OWNER) -> tuple[dict[str, Any], str]:
        """Return the result and its text. A result that is too long is cut and says how to read the rest."""
        text = compact(structured)
        if len(text) <= self.limit:
            return structured, text
        name = self.keep(text, boundary=_boundary(structured), owner=owner)
        short = _shrink(structured, self.limit * 3 // 4)
        if len(compact(structured.get("next"))) < self.limit // 8:
            short.update({"next": structured["next"]} if "next" in structured else {})
        short["cut"] = {
            "characters": len(text),
            "read_on": f"The result is too long and was cut. For an hour, read_result with result={name!r} returns "
            "all of it in parts.",
        }
        return short, compact(short)

    def find(self, name: str) -> KeptResult | None:
        """Return a kept result, or None if it is no longer here."""
        at, result = self._results.get(name, (0.0, None))
        return result if result is not None and self._clock() - at < KEPT_SECONDS else None

    def part(self, result: KeptResult, offset: int) -> dict[str, Any]:
        """Return the part of a kept result from `offset` on."""
        text, boundary = result.text, result.boundary
        # The text can grow to twice its length when it is written as JSON again, and must still fit.
        reached = min(len(text), offset + (self.limit - OVERHEAD) // 2)
        if boundary:
            from mailgun_mcp.output.untrusted import NOTICE, notice, part_of

            part, reached = part_of(text, offset, reached, boundary)
            marked: dict[str, Any] = {NOTICE: notice(boundary)}
        else:
            part, marked = text[offset:reached], {}
        following = {"result": result.name, "offset": reached} if reached < len(text) else None
        return {**marked, "text": part, "characters": len(text), "next": following}

    def keep(self, text: str, *, boundary: str | None = None, owner: Owner = NO_OWNER) -> str:
        """Keep a text for `read_result`, readable by `owner`, and return its name. `boundary` is that of its fences."""
        result = KeptResult(token_urlsafe(12), text, owner, boundary)
        self._results[result.name] = self._clock(), result
        self._unsaved.append(result)
        while len(self._results) > 1 and (
            len(self._results) > self._most_results
            or sum(len(result.text) for _, result in self._results.values()) > self._most_characters
        ):
            self._results.popitem(last=False)
        return result.name

    def take_unsaved(self) -> list[KeptResult]:
        """Return the results that were kept since the last call of this function."""
        unsaved, self._unsaved = self._unsaved, []
        return unsaved


def _boundary(structured: dict[str, Any]) -> str | None:
    """Return the boundary of the fences in the result, which its notice names, or None."""
    notice = structured.get("untrusted_text")
    boundary = notice.get("boundary") if isinstance(notice, dict) else None
    return boundary if isinstance(boundary, str) else None


def _shrink(value: Any, budget: int) -> Any:
    """Return `value`, which is too long, cut to `budget` characters. Types stay the same."""
    if isinstance(value, str):
        return _shrink_text(value, budget)
    if isinstance(value, list):
        return _shrink_list(value, budget)
    if isinstance(value, dict):
        return _shrink_dict(value, budget)
    return value


def _shrink_text(text: str, budget: int) -> str:
    """Return the start of the text. Third-party text stays inside its fence."""
    fence = FENCE_END.search(text)
    end = CUT.format(len(text)) + (fence[0] if fence else "")
    length = room = budget - len(end)
    while length > 0 and len(compact(text[:length])) > room:
        length //= 2
    return text[: max(length, 0)] + end


def _shrink_list(items: list[Any], budget: int) -> list[Any]:
    first_items: list[Any] = []
    for item in items:
        size = len(compact(item)) + 1
        if size > budget:
            if not first_items and budget > SCANT:
                first_items.append(_shrink(item, budget))
            break
        first_items.append(item)
        budget -= size
    return first_items


def _shrink_dict(fields: dict[str, Any], budget: int) -> dict[str, Any]:
    """Keep small fields whole and share the rest among large ones. A field that gets too little is left out."""
    names = {name: len(compact(name)) + 2 for name in fields}
    sizes = {name: len(compact(item)) + names[name] for name, item in fields.items()}
    shrunk: dict[str, Any] = {}
    for done, name in enumerate(sorted(fields, key=sizes.__getitem__)):
        share = budget // (len(fields) - done)
        if sizes[name] <= (share if share > SCANT else budget):
            shrunk[name] = fields[name]
            budget -= sizes[name]
        elif share - names[name] > SCANT:
            shrunk[name] = _shrink(fields[name], share - names[name])
            budget -= share
    return {name: shrunk[name] for name in fields if name in shrunk}
