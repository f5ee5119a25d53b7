"""The inbox of the page: a list of the sent messages, and one message beside it."""

from collections.abc import Iterable
from heapq import nlargest
from itertools import islice

from mailgun_mcp.simulator.control.markup import Markup, element, joined, pairs, table
from mailgun_mcp.simulator.control.page_views import (
    SHOWN,
    PageRequest,
    as_json,
    event_row,
    moment,
    part,
    turn,
)
from mailgun_mcp.simulator.model.event_log import EventRange, lookup_hash
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header
from mailgun_mcp.simulator.model.packed_events import MailEvent

ACTIONS = {
    "open": "Open",
    "click": "Click",
    "unsubscribe": "Unsubscribe",
    "complain": "Complain",
    "bounce": "Bounce",
}
"""Recipient action -> the label of its button."""
EVENT_COLUMNS = ("time", "event", "recipient", "why", "record")


def inbox(request: PageRequest) -> Markup:
    """Show the stored messages, newest first, and those that are scheduled."""
    stored, waiting = _stored(request), [one for domain in request.domains for one in domain.scheduled]
    lists = [_list(request, "Stored messages", part(request, stored))]
    if waiting:
        lists.insert(0, _list(request, "Scheduled messages", waiting))
    hint = element("p", "Select a message to read it.", class_="none")
    return _panes([*lists, turn(request, "messages", len(stored))], hint, "list")


def message(request: PageRequest, message: StoredMessage) -> Markup:
    """Show one message as it was sent, with its events, beside the newest messages of its domain."""
    newest = _stored(request)[:SHOWN]
    back = element("a", "All messages", href=request.to("messages", domain=message.domain))
    side = [element("p", back, class_="back"), _list(request, "Stored messages", newest, message.key)]
    return _panes(side, _preview(request, message, back), "one")


def _panes(side: Iterable[str], main: Markup, pane: str) -> Markup:
    return element(
        "div",
        element("div", *side, class_="list"),
        element("div", main, class_="preview"),
        class_=f"panes only-{pane}",
    )


def _stored(request: PageRequest) -> list[StoredMessage]:
    most = request.skip + SHOWN + 1
    newest = (one for domain in request.domains for one in islice(domain.messages.newest(), most))
    return nlargest(most, newest, key=lambda message: message.at)


def _list(request: PageRequest, caption: str, messages: Iterable[StoredMessage], current: str = "") -> Markup:
    rows = [_row(request, one, current) for one in messages]
    heading = element("h2", caption)
    if not rows:
        return joined([heading, element("p", "Nothing here.", class_="none")])
    return joined([heading, element("ul", *rows, class_="mails")])


def _row(request: PageRequest, message: StoredMessage, current: str) -> Markup:
    sender = message.headers.get("From", message.sender)
    lines = [
        element("span", element("bdi", message.subject or "(no subject)"), class_="subject"),
        element("span", element("bdi", sender), " → ", element("bdi", ", ".join(message.recipients)), class_="who"),
        element("span", moment(message.deliver_at or message.at), " ", *_labels(message.tags), class_="when"),
    ]
    is_current: dict[str, str | bool] = {"aria_current": "true"} if message.key == current else {}
    where = request.to("message", domain=message.domain, key=message.key)
    return element("li", element("a", *lines, href=where, **is_current))


def _labels(tags: Iterable[str]) -> list[Markup]:
    return [element("span", element("bdi", tag), class_="tag") for tag in tags]


def _preview(request: PageRequest, message: StoredMessage, back: Markup) -> Markup:
    summary = [("From", find_header(message.headers, "From") or message.sender)]
    summary += [(name, find_header(message.headers, name)) for name in ("To", "Cc", "Reply-To")]
    summary += [("Stored", moment(message.at)), ("Tags", joined(_labels(message.tags)))]
    facts = [
        ("Domain", message.domain),
        ("Envelope sender", message.sender),
        ("Envelope recipients", ", ".join(message.recipients)),
        ("Storage key", message.key),
        ("Template", message.template or ""),
        ("Variables", as_json(message.variables) if message.variables else ""),
        ("Test mode", "yes" if message.test_mode else ""),
        ("Delivered at", moment(message.deliver_at) if message.deliver_at else ""),
        ("Why it fails", message.fault),
    ]
    events = [_event(request, one) for one in _events_of(request, message)]
    return joined(
        [
            element("p", back, class_="narrow"),
            element("div", pairs("Summary", [(name, value) for name, value in summary if value]), class_="summary"),
            _actions(message),
            _attachments(request, message),
            *([_tab("HTML", _html_of(request, message))] if message.html else []),
            _tab("Text", _text_of(message)),
            *([_tab("HTML source", element("pre", message.html, tabindex="0"))] if message.html else []),
            _tab("Headers", pairs("Headers", message.headers.items())),
            _tab("Events", table("What happened to it", EVENT_COLUMNS, events)),
            _tab("Details", pairs("Message", [(name, value) for name, value in facts if value])),
            element("p", element("a", "Source (MIME)", href=request.to("source", **_address(message)))),
        ]
    )


def _tab(name: str, *content: Markup) -> Markup:
    """Return one part of a message. The script shows one part at a time, and the names of all parts as tabs."""
    return element("div", element("h2", name), *content, class_="tab", data_tab=name)


def _address(message: StoredMessage) -> dict[str, str]:
    return {"domain": message.domain, "key": message.key}


def _actions(message: StoredMessage) -> Markup:
    """Return the buttons that act as the recipients. They need the script, and stay hidden without it."""
    buttons = [
        element("button", text, type="button", data_act=action, data_message=message.key)
        for action, text in ACTIONS.items()
    ]
    return element("div", *buttons, class_="actions", role="group", aria_label="Act as the recipients", hidden=True)


def _html_of(request: PageRequest, message: StoredMessage) -> Markup:
    where = request.to("mail", **_address(message))
    frame = element("iframe", src=where, title="The HTML of the message", sandbox="", referrerpolicy="no-referrer")
    note = element("p", "Scripts do not run in it, and nothing is loaded from elsewhere.", class_="note")
    return joined([frame, note])


def _text_of(message: StoredMessage) -> Markup:
    if not message.text:
        return element("p", "It has no text.", class_="none")
    return element("pre", element("bdi", message.text), tabindex="0")


def _attachments(request: PageRequest, message: StoredMessage) -> Markup:
    files = [
        element(
            "li",
            element(
                "a",
                element("bdi", item.filename or "(no name)"),
                href=request.to("attachment", **_address(message), index=str(index)),
            ),
            " ",
            element("bdi", item.content_type),
            f", {len(item.data):,} bytes",
        )
        for index, item in enumerate(message.attachments)
    ]
    return element("ul", *files, class_="files", aria_label="Attachments") if files else Markup()


def _event(request: PageRequest, event: MailEvent) -> tuple[str | Markup, ...]:
    at, name, recipient, _, why, record = event_row(request, event)
    return at, name, recipient, why, record


def _events_of(request: PageRequest, message: StoredMessage) -> list[MailEvent]:
    if request.domain is None:
        return []
    span = EventRange(hashes=frozenset({lookup_hash(message.id)}))
    own = (one for one in request.domain.events.walk(span) if _message_id(one) == message.id)
    to = {recipient.lower() for recipient in message.recipients}
    return list(islice((one for one in own if one.record.get("recipient", "").lower() in to), SHOWN))


def _message_id(event: MailEvent) -> str:
    return str(event.record.get("message", {}).get("headers", {}).get("message-id", ""))
