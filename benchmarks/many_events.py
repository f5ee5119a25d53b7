"""Accounts with many events, for the benchmark of the simulator."""

import json
from base64 import b64encode
from dataclasses import replace

from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventLog
from mailgun_mcp.simulator.model.messages import StoredMessage as Mail
from mailgun_mcp.simulator.model.packed_events import AT, SERIAL, PackedEvents, _pack
from mailgun_mcp.simulator.model.parts import Part, to_text

PERIOD = 25 * DAY
NAME = "mg.example.com"
EVENTS_OF_A_MAIL = 8 / 3
"""Average number: each mail is accepted and delivered, and two in three are opened."""


def fill(events: int, copies: int = 1) -> tuple[Account, Domain]:
    """Return an account with a domain that has `events` events over 25 days: mail to 1,000 domains, two thirds opened.

    With `copies`, only the first part of the period comes from sending mail. The rest repeats it at later times.
    """
    clock = ManualClock()
    account = Account(clock)
    domain = account.domains[NAME] = Domain("1", NAME, clock.now(), "active")
    # Whole hours, so that each copy counts in its own hours. The last mail is opened before they end.
    part = PERIOD // copies // HOUR * HOUR
    step = (part - 5 * MINUTE) * copies / events
    number = 0
    while len(domain.events) < events // copies:
        number += 1
        clock.advance(EVENTS_OF_A_MAIL * step)
        _send(account, domain, number)
    if copies > 1:
        _repeat(account, domain, copies, part)
    return account, domain


def _send(account: Account, domain: Domain, number: int) -> None:
    now = account.clock.now()
    recipient = f"{'bounce' if number % 50 == 0 else 'person'}{number}@host{number % 1000}.example"
    headers = {"From": f"Shop <shop@{NAME}>", "To": recipient, "Subject": f"Order {number}"}
    identity = f"{number:x}.{number * 7919:x}@{NAME}"
    mail = Mail(account.opaque_id(30), identity, NAME, now, f"shop@{NAME}", [recipient], headers, text="Hello")
    mail.tags = [("order", "shipping", "newsletter")[number % 3]]
    accept(account, domain, mail)
    if number % 3:
        record_event(account, domain, "opened", mail, recipient, now + 60)


def _repeat(account: Account, domain: Domain, copies: int, part: float) -> None:
    """Add copies of all events, counts and stored messages, each shifted by a multiple of `part`."""
    analytics, serial = account.analytics, account.serial
    events, domain.events = list(domain.events.parts()), EventLog()
    mails, seen = list(domain.messages.values()), dict(analytics._seen)
    series = [
        (each, [one for one in each.parts() if "at" in one.index]) for each in (analytics.mail, analytics.failures)
    ]
    for number in range(copies):
        later = number * part
        for chunk in events:
            domain.events.add_part(_moved(chunk, later, number * serial), read_now=True)
        if not number:
            continue
        for each, counts in series:
            for one in counts:
                each.add_part(Part(one.content, {**one.index, "at": one.index["at"] + later}), read_now=True)
        analytics._seen |= {f"{key}{number}": at + later for key, at in seen.items()}
        domain.messages.update({f"{one.key}{number}": _moved_mail(one, number, later) for one in mails})
        account.clock.advance(part)  # type: ignore[attr-defined]  # it is a ManualClock
        domain.forget_expired(account.clock.now())
    account.serial = serial * copies
    analytics.roll_up(account.clock.now())


def _moved(chunk: Part, seconds: float, serials: int) -> Part:
    """Return a part of an event log with its events shifted to later times."""
    index, document = dict(chunk.index), json.loads(chunk.content)
    for name in ("first", "last"):
        at, serial = index[name]
        index[name] = [at + seconds, serial + serials]
    packed = PackedEvents.from_part(index["size"], chunk)
    moved = {AT: [at + seconds for at in packed.column(AT)], SERIAL: [one + serials for one in packed.column(SERIAL)]}
    for column in document["columns"]:
        if tuple(column[0]) in moved:
            column[1] = b64encode(_pack(moved[tuple(column[0])])).decode()
    return Part(to_text(document), index)


def _moved_mail(mail: Mail, number: int, seconds: float) -> Mail:
    # Copy everything: like two different mails, the copy shares nothing with the original.
    copy = replace(mail, headers=dict(mail.headers), recipients=list(mail.recipients), tags=list(mail.tags))
    return replace(copy, key=f"{mail.key}{number}", id=f"{number}.{mail.id}", at=mail.at + seconds)
