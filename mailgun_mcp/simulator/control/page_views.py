"""The sections of the page: tables of an account's records."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from mailgun_mcp.simulator.control.markup import Markup, element, joined, table
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.packed_events import MailEvent
from mailgun_mcp.simulator.model.routes import InboundMail
from mailgun_mcp.simulator.model.webhooks import Posting

HOME = "/simulator/"
PREFIX = f"{HOME}page/"
SHOWN = 100
"""Number of rows on a page."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The request for a section: the main account, the selected account and domain, and the query."""

    top: Account
    account: Account
    domain: Domain | None
    query: dict[str, str]
    now: float

    @property
    def domains(self) -> list[Domain]:
        return [self.domain] if self.domain else list(self.account.domains.values())

    @property
    def skip(self) -> int:
        text = self.query.get("skip", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

    def to(self, path: str, **query: str) -> str:
        """Return a link within the page, to the same account."""
        if self.account is not self.top:
            query = {"account": self.account.id, **query}
        return (PREFIX + path if path else HOME) + (f"?{urlencode(query, errors='replace')}" if query else "")


def overview(request: PageRequest) -> Markup:
    """Show the accounts, and the domains of the selected account."""
    columns = ("domain", "state", "type", "messages", "scheduled", "events", "suppressed", "templates")
    domains = [_domain(request, domain) for domain in request.account.domains.values()]
    below = [
        (element("a", owner.id, href=f"{HOME}?{urlencode({'account': owner.id})}"), names.get(owner.id, "this one"))
        for names in [{one.id: one.name for one in request.top.administration.subaccounts.values()}]
        for owner in request.top.with_subaccounts(all_regions=True)
    ]
    caption = f"Domains of account {request.account.id}"
    return joined([table(caption, columns, domains), table("Accounts", ("account", "name"), below)])


def _domain(request: PageRequest, domain: Domain) -> tuple[Any, ...]:
    suppressed = sum(len(getattr(domain, name)) for name in ("bounces", "complaints", "unsubscribes"))
    return (
        domain.name,
        element("span", domain.state, class_="good" if domain.state == "active" else "bad"),
        domain.type,
        link(request, "messages", str(len(domain.messages)), domain=domain.name),
        len(domain.scheduled),
        link(request, "events", str(len(domain.events)), domain=domain.name),
        link(request, "suppressions", str(suppressed), domain=domain.name),
        len(domain.templates),
    )


EVENT_COLUMNS = ("time", "event", "recipient", "subject", "why", "record")
BAD = frozenset({"failed", "complained", "rejected"})
GOOD = frozenset({"delivered", "opened", "clicked", "stored"})


def events(request: PageRequest) -> Markup:
    """Show events, newest first."""
    logs = [domain.events.walk(descending=True) for domain in request.domains]
    newest: Iterator[MailEvent] = merge(*logs, key=lambda event: (-event.at, -event.serial))
    newest_events = list(islice(newest, request.skip + SHOWN + 1))
    rows = [event_row(request, event) for event in part(request, newest_events)]
    return joined([table("Events", EVENT_COLUMNS, rows), turn(request, "events", len(newest_events))])


def event_row(request: PageRequest, event: MailEvent) -> tuple[Any, ...]:
    record = event.record
    name = record["event"]
    status = record.get("delivery-status") or {}
    why = status.get("message") or record.get("url") or record.get("reason") or ""
    kind = "bad" if name in BAD else "good" if name in GOOD else "plain"
    named = element("span", " ".join((name, record.get("severity", ""))).strip(), class_=kind)
    subject = record.get("message", {}).get("headers", {}).get("subject", "")
    key = record.get("storage", {}).get("key", "")
    domain = next((one for one in request.domains if key in one.messages), None)
    linked = link(request, "message", subject, domain=domain.name, key=key) if domain and subject else subject
    return moment(event.at), named, record.get("recipient", ""), linked, why, _details(record)


def suppressions(request: PageRequest) -> Markup:
    """Show the four suppression lists."""
    parts = []
    for domain in request.domains:
        lists: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]] = [
            (
                "Bounces",
                ("address", "code", "error", "since"),
                [(one.address, one.code, one.error, moment(one.created_at)) for one in domain.bounces.values()],
            ),
            (
                "Complaints",
                ("address", "count", "since"),
                [(one.address, one.count, moment(one.created_at)) for one in domain.complaints.values()],
            ),
            (
                "Unsubscribes",
                ("address", "tags", "since"),
                [(one.address, ", ".join(one.tags), moment(one.created_at)) for one in domain.unsubscribes.values()],
            ),
            (
                "Allowlist",
                ("value", "type", "reason", "since"),
                [(one.value, one.type, one.reason, moment(one.created_at)) for one in domain.allowlist.values()],
            ),
        ]
        parts += [_suppressed(domain, *each) for each in lists if each[2] or request.domain]
    return joined(parts) or element("p", "Nothing here.", class_="none")


def _suppressed(domain: Domain, name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Markup:
    more = element("p", f"The first {SHOWN} of {len(rows):,}.", class_="note") if len(rows) > SHOWN else Markup()
    return joined([table(f"{name} of {domain.name}", columns, rows[:SHOWN]), more])


def inbound(request: PageRequest) -> Markup:
    """Show the inbound mail, newest first, and what was done with it."""
    received = list(reversed(request.account.routes.received))
    columns = ("time", "from", "to", "subject", "what was done")
    rows = [_received(request, one) for one in part(request, received)]
    return joined([table("Inbound mail", columns, rows), turn(request, "inbound", len(received))])


def _received(request: PageRequest, one: InboundMail) -> tuple[Any, ...]:
    domain = request.account.domains.get(one.domain)
    is_stored = domain is not None and one.storage_key in domain.messages
    subject = (
        link(request, "message", one.subject, domain=one.domain, key=one.storage_key) if is_stored else one.subject
    )
    passed = [f"passed on by {one.mailing_list}"] if one.mailing_list else []
    refused = [element("span", one.refused, class_="bad")] if one.refused else []
    done = element("ul", *(element("li", each) for each in (*one.actions, *passed, *refused)))
    return moment(one.at), one.sender, one.recipient, subject, done


def outbox(request: PageRequest) -> Markup:
    """Show the requests that were or will be posted to customers' URLs, newest first."""
    postings = list(reversed(request.account.webhooks.outbox))
    columns = ("time", "kind", "URL", "domain", "outcome", "attempts", "content")
    rows = [_posting(one) for one in part(request, postings)]
    return joined([table("Webhook outbox", columns, rows), turn(request, "outbox", len(postings))])


def _posting(one: Posting) -> tuple[Any, ...]:
    waiting = joined(["due ", moment(one.due_at)]) if one.due_at is not None else "on its way"
    outcome = element("span", one.outcome, class_="good" if one.outcome == "taken" else "bad")
    attempts = ", ".join(str(status or "no answer") for _, status in one.attempts)
    kind = " ".join((one.kind, one.event)).strip()
    return (
        moment(one.created_at),
        kind,
        one.url,
        one.domain,
        outcome if one.outcome else waiting,
        attempts,
        _details(one.data),
    )


def moment(at: float) -> Markup:
    """Return a time as an HTML element, readable for people and for programs."""
    written = iso_date(at)
    return element("time", f"{written[:19].replace('T', ' ')} UTC", datetime=written)


def link(request: PageRequest, path: str, text: str, **query: str) -> Markup:
    return element("a", element("bdi", text or "(none)"), href=request.to(path, **query))


def part(request: PageRequest, items: Iterable[Item]) -> list[Item]:
    return list(islice(items, request.skip, request.skip + SHOWN))


def turn(request: PageRequest, path: str, count: int) -> Markup:
    """Return links to the newer and older rows, if there are any."""
    own = {"domain": request.domain.name} if request.domain else {}
    links = []
    if request.skip:
        links.append(link(request, path, "Newer", **own, skip=str(max(0, request.skip - SHOWN))))
    if count > request.skip + SHOWN:
        links.append(link(request, path, "Older", **own, skip=str(request.skip + SHOWN)))
    return element("nav", *links, aria_label="Pages") if links else Markup()


def _details(record: Any) -> Markup:
    return element("details", element("summary", "JSON"), element("pre", as_json(record)))


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
