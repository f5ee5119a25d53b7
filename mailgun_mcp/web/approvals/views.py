"""Approvals as the page shows them: the form line by line, and every argument in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.confirm.answering import AnswerChannel, may_see, why_not
from mailgun_mcp.confirm.approvals import NEEDED, Approval
from mailgun_mcp.confirm.bounded_text import as_text
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import BrowserSession

KINDS = (
    ("Risk:", "risk"),
    ("Account ", "account"),
    ("It cannot be undone", "final"),
    ("It can be undone", "undo"),
    ("Asked because", "why"),
    ("To confirm, type:", "typed"),
    ("You are asked again", "again"),
)
"""Start of a form line -> what it is about. The form has the words; this only decides how they look."""
OUTSIDE = "outside the account's domains"
LONGEST = 20_000
"""Maximum length of an argument on the page, in characters. A longer one is cut, and its size is shown."""
MOST = 1_000
"""Maximum number of items of an argument on the page."""
STATUS = {
    "pending": "Waits for an answer",
    "approved": "Approved, not used yet",
    "denied": "Denied",
    "used": "Approved and made",
    "expired": "Expired",
    "stale": "Its target has changed",
    "withdrawn": "Withdrawn by who asked",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the form, with its kind."""

    text: str
    kind: str
    below: tuple[str, ...] = ()
    """The items of the list that follows the line."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, in full unless it is huge."""

    name: str
    text: str | None
    items: tuple[str, ...] = ()
    long: bool = False
    note: str = ""
    """What was left out."""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval as one particular person sees it."""

    approval: Approval
    headline: str
    lines: tuple[Line, ...]
    request: str
    arguments: tuple[Argument, ...]
    risk: str
    bulk: bool
    seconds_left: float
    span: float
    """Seconds from creation to expiry."""
    missing: int
    """How many more people must approve."""
    why_not: str | None
    """Why this person may not approve. None if they may."""

    @property
    def id(self) -> str:
        """The id of the approval."""
        return self.approval.id

    @property
    def status(self) -> str:
        """The status in words."""
        return STATUS[self.approval.status]

    @property
    def by_people(self) -> bool:
        """Whether people's answers ended it, and not time or a change."""
        return self.approval.status in ("approved", "denied", "used")

    @property
    def open(self) -> bool:
        """Whether it can still be answered."""
        return self.approval.status == "pending"


def channel_of(session: BrowserSession) -> AnswerChannel:
    """Return the channel that a session stands for. A sign-in link comes from the terminal, where no model writes."""
    return "terminal" if session.source == "link" else "page"


def only_for_others(session: BrowserSession) -> bool:
    """Return whether the person may give grants to others only, and clear only others' marks. Not so in a terminal."""
    return channel_of(session) != "terminal"


def visible(approvals: Sequence[Approval], person: Principal) -> list[Approval]:
    """Return the approvals that the person may see."""
    return [approval for approval in approvals if may_see(approval, person.access)]


def view(approval: Approval, person: Principal, channel: AnswerChannel, now: float) -> ApprovalView:
    """Return the approval as the page shows it to this person."""
    facts = list(approval.details.get("facts") or approval.text.split("\n"))
    headline, request = facts[0], ""
    facts = facts[1:]
    if facts and facts[-1].partition(" ")[0] in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        request = facts.pop()
    lines = tuple(_lines(facts))
    risk, _, _ = next((line.text for line in lines if line.kind == "risk"), "").removeprefix("Risk: ").partition(".")
    risk, _, bulk = risk.partition(", ")
    return ApprovalView(
        approval,
        headline.removesuffix("."),
        lines,
        request,
        tuple(_argument(name, value) for name, value in (approval.details.get("arguments") or {}).items()),
        risk,
        bulk == "bulk",
        max(approval.expires - now, 0.0),
        approval.expires - approval.created,
        NEEDED.get(approval.level, 1) - sum(answer.yes for answer in approval.answers),
        why_not(approval, person, channel),
    )


def _lines(facts: Sequence[str]) -> list[Line]:
    lines: list[Line] = []
    for text in facts:
        if text.startswith("- ") and lines:
            last = lines.pop()
            lines.append(Line(last.text, last.kind, (*last.below, text[2:])))
        else:
            lines.append(Line(text, _kind(text)))
    return lines


def _kind(text: str) -> str:
    kind = next((kind for start, kind in KINDS if text.startswith(start)), "fact")
    return "outside" if kind == "fact" and OUTSIDE in text else kind


def _argument(name: str, value: Any) -> Argument:
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        items = tuple(item[:LONGEST] for item in value[:MOST])
        more = len(value) - len(items)
        note = f"{len(value):,} items" + (f", {more:,} of them not shown here" if more else "")
        return Argument(name, None, items, len(value) > 10, note if len(value) > 10 else "")
    text = as_text(value)
    if len(text) > LONGEST:
        return Argument(
            name, text[:LONGEST], long=True, note=f"{len(text):,} characters, the first {LONGEST:,} are shown"
        )
    return Argument(name, text, long=len(text) > 200 or "\n" in text)
