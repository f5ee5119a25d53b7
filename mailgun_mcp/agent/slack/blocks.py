"""The Slack blocks for calls that wait for a person, the form for a typed name, and the outcome of a call."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from mailgun_mcp.agent.display import safe
from mailgun_mcp.agent.slack.text import LONGEST_SHOWN, as_written, escaped, plain
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.text.durations import iso

Blocks = list[dict[str, Any]]
APPROVE, DENY, OPEN = "mailgun_approve", "mailgun_deny", "mailgun_open"
TYPED = "mailgun_typed"
SHORT = 1_500
"""Maximum characters of a form in Slack. The rest is on the approvals page."""
LONG = "The form is longer than Slack can show. Read all of it, and answer, {}."
OTHERS = "Somebody else must approve this, {}. You can refuse it here."
IN_CHANNEL = "in the approvers' channel"


@dataclass(frozen=True, slots=True)
class Button:
    """What a button is for. It grants nothing: its user is checked, and the approvals store decides."""

    approval: str
    thread: str = ""
    """The `ts` of the message that starts the asker's thread."""

    @property
    def value(self) -> str:
        """The text that Slack stores with the button."""
        return f"{self.approval}|{self.thread}"


def button_of(value: str) -> Button:
    """Return the button from the text that Slack stored with it."""
    approval, _, thread = value.partition("|")
    return Button(approval, thread)


@dataclass(frozen=True, slots=True)
class Pressed:
    """Where a button was pressed. Needed when its form is answered."""

    approval: str
    thread: str
    channel: str
    message: str
    response_url: str
    ephemeral: bool

    @property
    def metadata(self) -> str:
        """The text that Slack stores with the form."""
        return json.dumps(asdict(self))


def question(approval: Approval, thread: str, *, may_approve: bool, where: str, page: str | None) -> Blocks:
    """Return the question about a call. `where` says where else it can be answered, `page` is the URL for that."""
    text = safe(approval.text)
    is_long = len(text) > LONGEST_SHOWN
    shown = f"{text[:SHORT]}\n…" if is_long else text
    button = Button(approval.id, thread)
    buttons = [_button(APPROVE, "Allow", button, "primary")] if may_approve and not is_long else []
    buttons.append(_button(DENY, "Refuse", button, "danger"))
    if page is not None:
        buttons.append({**_button(OPEN, "Open the approvals page", button), "url": page})
    hint = LONG.format(where) if is_long else None if may_approve else OTHERS.format(where)
    blocks = [_context(f"A person must answer: {approval.id}, asked by {approval.principal}"), as_written(shown)]
    blocks += [_context(hint)] if hint else []
    return [*blocks, {"type": "actions", "elements": buttons}]


def summary(approval: Approval) -> str:
    """Return the line for a notification. It contains no third-party text."""
    return escaped(f"A person must answer: {approval.title} ({approval.id})")


def answered(approval: Approval) -> Blocks:
    """Return what replaces a question that was answered, or that ended without an answer."""
    return [as_written(safe(approval.text)[:SHORT]), _context(outcome(approval), date=_date(approval))]


def outcome(approval: Approval) -> str:
    """Return the outcome of a call that waited, and who answered."""
    match approval.status:
        case "approved" | "used":
            return f"Approved by {approval.people}"
        case "denied":
            return f"Refused by {approval.people}"
        case "expired":
            return "Nobody answered in time. Nothing was done."
        case "withdrawn":
            return "It was withdrawn. Nothing was done."
        case "stale":
            return "What it affects has changed since. Nothing was done."
    if approval.answers:
        return f"Approved by {approval.people}. A second person must approve it too."
    return "It waits for an answer."


def form(approval: Approval, pressed: Pressed) -> dict[str, Any]:
    """Return the form in which a person types the name of what would be lost."""
    element = {"type": "plain_text_input", "action_id": TYPED}
    label = plain(f"To allow it, type: {approval.typed}"[:2_000])
    return {
        "type": "modal",
        "callback_id": TYPED,
        "private_metadata": pressed.metadata,
        "title": plain("Allow this call?"),
        "submit": plain("Allow"),
        "close": plain("Cancel"),
        "blocks": [
            as_written(safe(approval.text)),
            {"type": "input", "block_id": TYPED, "label": label, "element": element},
        ],
    }


def notice(text: str) -> Blocks:
    """Return a block with a sentence of the server."""
    return [{"type": "section", "text": plain(text[:LONGEST_SHOWN])}]


def _button(action: str, label: str, button: Button, style: str | None = None) -> dict[str, Any]:
    element = {"type": "button", "action_id": action, "text": plain(label), "value": button.value}
    return {**element, "style": style} if style else element


def _context(text: str, *, date: str = "") -> dict[str, Any]:
    if not date:
        return {"type": "context", "elements": [plain(text[:LONGEST_SHOWN])]}
    return {"type": "context", "elements": [plain(text[:LONGEST_SHOWN]), {"type": "mrkdwn", "text": date}]}


def _date(approval: Approval) -> str:
    """Return when it was answered, which Slack shows in the reader's time zone."""
    if not approval.answers:
        return ""
    at = approval.answers[-1].at
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|{iso(at)}>"
