"""The effects of an incident on the account besides the affected mail: its cause, and its continuation for new mail."""

from collections.abc import Callable
from random import Random
from typing import Any

from mailgun_mcp.simulator.mail.delivery import add_complaint, deliver
from mailgun_mcp.simulator.mail.dkim import verify_keys
from mailgun_mcp.simulator.mail.record_events import delivered_status, record_event
from mailgun_mcp.simulator.mail.sending_ips import ips_used_by
from mailgun_mcp.simulator.model.access import ApiKey
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.administration import month
from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventRange
from mailgun_mcp.simulator.model.ips import Warmup
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.provider_blocks import ProviderBlock
from mailgun_mcp.simulator.model.suppressions import Unsubscribe
from mailgun_mcp.simulator.model.templates import Template, TemplateVersion
from mailgun_mcp.simulator.worlds.incidents import (
    BadList,
    Blocklisting,
    BrokenDkim,
    BrokenTemplate,
    Incident,
    Injection,
    LeakedKey,
    LimitReached,
    Suppressed,
    Throttling,
)
from mailgun_mcp.simulator.worlds.scenario_mail import bounce_hard, make_message, store

UNSIGNED = {
    "gmail.com": (
        550,
        "5.7.30 Your email has been blocked because DKIM authentication didn't pass. Gmail requires all large senders to "
        "authenticate with DKIM. Authentication results: DKIM = did not pass",
    ),
    "yahoo.com": (
        554,
        "5.7.9 Message not accepted for policy reasons: the message is unauthenticated (no valid DKIM signature). "
        "See https://postmaster.yahooinc.com/error-codes",
    ),
    "outlook.com": (
        550,
        "5.7.515 Access denied, sending domain does not meet the required authentication level: DKIM = Fail",
    ),
}
"""Provider -> its reply to mail without a valid DKIM signature, in its own style."""
UNSIGNED_ELSEWHERE = (550, "5.7.20 No passing DKIM signature found")
THROTTLED = "4.7.0 [TSS04] Messages from {} temporarily deferred due to unexpected volume or user complaints"
LEAKED_KEY_ID = "9b1de77a-0c4e51f2"
LEAKED_SECRET = "2e5f8c4db13a60796d8c3f4e50617283-7a8b9c0d-e1f20314"  # noqa: S105 - the key of a made-up account
OLD_VERSION, NEW_VERSION = "spring", "autumn"
WITH_LINK = "<h1>Hello</h1><p>What is new.</p><p><a href='https://www.{domain}/news'>Read on</a></p>"
WITHOUT_LINK = "<h1>Hello</h1><p>What is new.</p><p><a>Read on</a></p>"


def blocks_of(domain: Domain, incident: Incident) -> list[ProviderBlock]:
    """Return the blocks that an incident causes."""
    if isinstance(incident, Blocklisting):
        ip = ips_used_by(domain)[0]
        text = f"5.7.1 Service unavailable; Client host [{ip}] blocked using {incident.blocklist}"
        return [ProviderBlock([incident.provider], 554, text, sending_ip=ip)]
    if isinstance(incident, BrokenDkim):
        answers = [(host, *UNSIGNED.get(host, UNSIGNED_ELSEWHERE)) for host in incident.providers]
        return [ProviderBlock([host], code, text, unsigned=True) for host, code, text in answers]
    if isinstance(incident, Throttling):
        ip = ips_used_by(domain)[0]
        return [ProviderBlock([incident.provider], 421, THROTTLED.format(ip), sending_ip=ip, temporary=True)]
    return []


def apply_incident(account: Account, domain: Domain, incident: Incident) -> None:
    """Record an incident's traces other than mail already sent, and make it affect mail sent from now on."""
    of_ip = isinstance(incident, Blocklisting | Throttling)
    (account.administration.ips if of_ip else domain).blocks.extend(blocks_of(domain, incident))
    effect = EFFECTS.get(type(incident))
    if effect:
        effect(account, domain, incident)


def _lose_dkim(_: Account, domain: Domain, __: BrokenDkim) -> None:
    domain.absent_records.add("dkim")
    verify_keys(domain)


def _receive(account: Account, domain: Domain, incident: Injection) -> None:
    at = account.clock.now() - incident.hours * HOUR
    message = make_message(account, domain.name, f"support@{domain.name}", "inbound", incident.subject, at)
    message.headers = {**message.headers, "From": incident.sender}
    message.sender = incident.sender.partition("<")[2].rstrip(">") or incident.sender
    message.text, message.tags, message.routed = incident.text, [], True
    domain.messages[message.key] = message
    record_event(account, domain, "stored", message, message.recipients[0], at)


def _import_list(account: Account, domain: Domain, incident: BadList) -> None:
    since = account.clock.now() - incident.hours * HOUR
    of_campaign = ((("tags",), lambda tags: incident.campaign in (tags or ())),)
    sent = domain.events.walk(EventRange(low=since, kinds=frozenset({"accepted"}), tests=of_campaign))
    members = {event.record["recipient"]: Member(event.record["recipient"]) for event in sent}
    made = MailingList(incident.list_address, since - HOUR, "Trade fair 2019", f"Imported, {len(members)} addresses")
    made.members = members
    account.lists[incident.list_address] = made


def _warm_up(account: Account, domain: Domain, incident: Throttling) -> None:
    ip = account.administration.ips.ips[ips_used_by(domain)[0]]
    ip.warmup = Warmup(account.clock.now() - incident.warmup_days * DAY)


def _suppress(account: Account, domain: Domain, incident: Suppressed) -> None:
    now, address = account.clock.now(), incident.address.lower()
    since = now - incident.hours * HOUR
    first = _sent(account, domain, address, "Your order 4400", since)
    if incident.by == "bounce":
        bounce_hard(account, domain, first, since + 2)
    else:
        status = delivered_status(address)
        record_event(account, domain, "delivered", first, address, since + 2, delivery_status=status)
        name = "complained" if incident.by == "complaint" else "unsubscribed"
        record_event(account, domain, name, first, address, since + 600)
    if incident.by == "complaint":
        add_complaint(domain, address, since + 600)
    if incident.by == "unsubscribe":
        domain.unsubscribes[address] = Unsubscribe(address, since + 600, account.hex_id())
    step = (now - since) / (incident.messages + 1)
    for number in range(1, incident.messages + 1):
        at = since + number * step
        deliver(account, domain, _sent(account, domain, address, f"Your order {4400 + number}", at), at + 1)


def _sent(account: Account, domain: Domain, address: str, subject: str, at: float, **details: Any) -> Any:
    message = make_message(account, domain.name, address, "order", subject, at)
    store(account, domain, message)
    record_event(account, domain, "accepted", message, address, at, **details)
    return message


def _leak(account: Account, domain: Domain, incident: LeakedKey) -> None:
    now, access = account.clock.now(), account.administration.access
    owner = next(iter(access.users), None)
    key = ApiKey(LEAKED_KEY_ID, LEAKED_SECRET, "developer", now - 200 * DAY, description=incident.key_description)
    key.user_id = owner
    access.keys[key.id] = key
    random = Random(f"leak {domain.name}")  # noqa: S311 - the addresses must be reproducible
    for number in range(incident.messages):
        at = now - incident.hours * HOUR * (1 - (number + 0.5) / incident.messages)
        address = f"user{random.randrange(10**6):06d}@{random.choice(('gmail.com', 'outlook.com', 'example.net'))}"
        details = {"api_key_id": key.id, "originating_ip": incident.from_ip}
        message = _sent(account, domain, address, incident.subject, at, **details)
        if random.random() < 0.25:
            bounce_hard(account, domain, message, at + 1)
        else:
            record_event(
                account, domain, "delivered", message, address, at + 1, delivery_status=delivered_status(address)
            )


def _change_template(account: Account, domain: Domain, incident: BrokenTemplate) -> None:
    now = account.clock.now()
    since = now - incident.hours * HOUR
    versions = (
        TemplateVersion(account.uuid(), OLD_VERSION, WITH_LINK.format(domain=domain.name), now - 200 * DAY),
        TemplateVersion(account.uuid(), NEW_VERSION, WITHOUT_LINK, since, active=True, comment="New layout"),
    )
    template = Template(account.uuid(), incident.template, now - 200 * DAY, "The weekly newsletter")
    template.versions = {version.tag: version for version in versions}
    domain.templates[template.name] = template


def _reach_limit(account: Account, _: Domain, incident: LimitReached) -> None:
    limit, now = account.administration.sending_limit, account.clock.now()
    limit.limit = incident.limit
    limit.sent[month(now)] = max(limit.current(now), incident.limit)


EFFECTS: dict[type, Callable[[Account, Domain, Any], None]] = {
    BrokenDkim: _lose_dkim,
    Injection: _receive,
    BadList: _import_list,
    Throttling: _warm_up,
    Suppressed: _suppress,
    LeakedKey: _leak,
    BrokenTemplate: _change_template,
    LimitReached: _reach_limit,
}
