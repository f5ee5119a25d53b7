"""The page under `/simulator/` that shows the account. It only reads; its script calls the control routes.

Mail is written by strangers, so it is shown as text. Its HTML is a separate document, in a frame where no script
runs, with a content security policy that blocks all requests.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from re import Match
from re import compile as pattern
from string import Template
from urllib.parse import parse_qsl, quote

from mailgun_mcp.simulator.control import page_messages
from mailgun_mcp.simulator.control import page_views as views
from mailgun_mcp.simulator.control.markup import Markup, element, joined
from mailgun_mcp.simulator.control.page_forms import forms
from mailgun_mcp.simulator.control.page_views import HOME, PREFIX, PageRequest
from mailgun_mcp.simulator.mail.composing import to_mime
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.text.characters import replace_surrogates

HTML = "text/html; charset=utf-8"
CLOSED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""Content security policy for the HTML of a mail, in its frame and alone: no scripts, external content or forms."""
FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Content security policy for attachments and for the source of a mail."""
PLAIN = "text/plain; charset=utf-8"
SAVED = "application/octet-stream"
OPENED = {
    "text/plain": PLAIN,
    "text/csv": PLAIN,
    "text/html": PLAIN,
    "application/json": PLAIN,
    **{f"image/{name}": f"image/{name}" for name in ("png", "jpeg", "gif", "webp")},
}
"""Media type of an attachment -> the type that it is served with. Files of all other types are downloaded."""
INLINE = pattern(r"cid:([^\"'\s)>]+)")

SECTIONS: dict[str, tuple[str, Callable[[PageRequest], Markup]]] = {
    "": ("Domains", views.overview),
    "messages": ("Messages", page_messages.inbox),
    "events": ("Events", views.events),
    "suppressions": ("Suppressions", views.suppressions),
    "inbound": ("Inbound mail", views.inbound),
    "outbox": ("Webhook outbox", views.outbox),
    "try": ("Try it", forms),
}


def show(path: str, account: Account, clock: Clock, query: str) -> Reply:
    """Return the response for one of `PATHS`. Raises ApiError if the query names something that does not exist."""
    return PATHS[path](_page_request(account, clock, dict(parse_qsl(query))))


def _page_request(account: Account, clock: Clock, query: dict[str, str]) -> PageRequest:
    named = query.get("account", account.id)
    selected = next((one for one in account.with_subaccounts(all_regions=True) if one.id == named), None)
    if selected is None:
        raise ApiError(404, f"no account {named}")
    deliver_due(selected)
    domain = selected.domains.get(query.get("domain", "").lower())
    if "domain" in query and domain is None:
        raise ApiError(404, f"no domain {query['domain']}")
    return PageRequest(account, selected, domain, query, clock.now())


def _section(name: str) -> Callable[[PageRequest], Reply]:
    title, view = SECTIONS[name]
    return lambda request: _page(
        request, name, f"{title} of {request.domain.name}" if request.domain else title, view(request)
    )


def _message(request: PageRequest) -> Reply:
    _, message = _stored_message(request)
    return _page(request, "messages", message.subject or "(no subject)", page_messages.message(request, message))


def _mail(request: PageRequest) -> Reply:
    """Return the HTML of a message as it was sent, with its inline images."""
    _, message = _stored_message(request)
    return Reply(
        replace_surrogates(_with_images(message)), 200, HTML, {**CLOSED, "content-security-policy": MAIL_POLICY}
    )


def _source(request: PageRequest) -> Reply:
    """Return the MIME source of a message, as text."""
    _, message = _stored_message(request)
    return Reply(replace_surrogates(to_mime(message)), 200, PLAIN, {**CLOSED, "content-security-policy": FILE_POLICY})


def _attachment(request: PageRequest) -> Reply:
    """Return an attachment. Images and text open in the browser; everything else is downloaded."""
    _, message = _stored_message(request)
    index = request.query.get("index", "")
    files = dict(zip(map(str, range(len(message.attachments))), message.attachments, strict=True))
    if index not in files:
        raise ApiError(404, "the message has no such attachment")
    item = files[index]
    content_type = OPENED.get(item.content_type.partition(";")[0].strip().lower(), SAVED)
    kind = "attachment" if content_type == SAVED else "inline"
    name = quote(item.filename or "attachment", safe="", errors="replace")
    disposition = {"content-disposition": f"{kind}; filename*=UTF-8''{name}"}
    return Reply(item.data, 200, content_type, {**CLOSED, **disposition, "content-security-policy": FILE_POLICY})


def _stored_message(request: PageRequest) -> tuple[Domain, StoredMessage]:
    if request.domain:
        key = request.query.get("key", "")
        for message in (request.domain.messages.get(key), *request.domain.scheduled):
            if message and message.key == key:
                return request.domain, message
    raise ApiError(404, "there is no such message, or its retention has ended")


def _with_images(message: StoredMessage) -> str:
    images = {item.filename: item for item in message.attachments if item.content_type.startswith("image/")}

    def embedded(reference: Match[str]) -> str:
        image = images.get(reference[1])
        if image is None or '"' in image.content_type:
            return reference[0]
        return f"data:{image.content_type};base64,{b64encode(image.data).decode()}"

    return INLINE.sub(embedded, message.html)


def _page(request: PageRequest, section: str, title: str, main: Markup) -> Reply:
    links = [
        element("a", text, href=request.to(name), **({"aria_current": "page"} if name == section else {}))
        for name, (text, _) in SECTIONS.items()
    ]
    text = _template().substitute(
        title=joined([title]), sections=joined(links), now=views.moment(request.now), main=main
    )
    return Reply(replace_surrogates(text), 200, HTML, {**CLOSED, "content-security-policy": PAGE_POLICY})


@cache
def _template() -> Template:
    return Template(_file("page.html"))


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _static(name: str, content_type: str) -> Callable[[PageRequest], Reply]:
    return lambda _: Reply(_file(name), 200, content_type, CLOSED)


PATHS: dict[str, Callable[[PageRequest], Reply]] = {
    **{PREFIX + name if name else HOME: _section(name) for name in SECTIONS},
    f"{PREFIX}message": _message,
    f"{PREFIX}mail": _mail,
    f"{PREFIX}source": _source,
    f"{PREFIX}attachment": _attachment,
    f"{PREFIX}page.css": _static("page.css", "text/css; charset=utf-8"),
    f"{PREFIX}page.js": _static("page.js", "text/javascript; charset=utf-8"),
}
"""Path -> the function that renders it."""
