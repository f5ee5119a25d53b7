"""Makes the account of a scenario: every message with its events, and the incidents.

The same scenario always makes the same history, up to the clock's present moment.
"""

from math import sin, tau
from random import Random

from mailgun_mcp.simulator.mail.delivery import add_bounce, add_complaint, fail_blocked
from mailgun_mcp.simulator.mail.dkim import keys_of, verify_keys
from mailgun_mcp.simulator.mail.record_events import delivered_status, record_event, refused_status
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source, ips_used_by
from mailgun_mcp.simulator.model.access import OWN_KEY_ID, ApiKey, User
from mailgun_mcp.simulator.model.account import STORAGE, Account
from mailgun_mcp.simulator.model.blocks import ProviderBlock
from mailgun_mcp.simulator.model.clock import DAY, HOUR, Clock, mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Ip
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.worlds.engagement import (
    REPORTING_PROVIDERS,
    click_delay,
    complaint_delay,
    open_delay,
    reader_of,
)
from mailgun_mcp.simulator.worlds.scenario import (
    Blocklisting,
    BrokenDkim,
    ComplaintSpike,
    DomainPart,
    Incident,
    Injection,
    Scenario,
    Volume,
)

PROVIDERS = (
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "outlook.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "example.net",
)
"""The recipients' mailbox providers; one that stands three times has three times the recipients."""
OLD = 300 * DAY
UNKNOWN_USER = "5.1.1 The email account that you tried to reach does not exist"
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
"""What providers answer to mail without a valid DKIM signature, in the style of each."""
UNSIGNED_ELSEWHERE = (550, "5.7.20 No passing DKIM signature found")
OWNER = "5f3b1e9a7c2d4f6081a3b601"
DAILY_SWING = 0.7
"""How much more mail than the average goes out at the busiest hour, and how much less at the quietest."""
REPORTING = sum(host in REPORTING_PROVIDERS for host in PROVIDERS) / len(PROVIDERS)
"""The share of the recipients whose providers report complaints."""


def scenario_account(scenario: Scenario, clock: Clock, *, storage_url: str = STORAGE) -> Account:
    """Return the account that a scenario describes, as it is at the clock's present moment."""
    account = Account(clock, storage_url=storage_url)
    write_history(account, scenario)
    return account


def write_history(account: Account, scenario: Scenario) -> None:
    """Add the scenario's domains and their history to the account."""
    random = Random(scenario.seed)  # noqa: S311 - the same history each time
    _add_owner(account)
    ips = {part.name: part.ip or SHARED_IP for part in scenario.domains}
    for part in scenario.domains:
        domain = _add_domain(account, part)
        incidents = [
            incident
            for incident in scenario.incidents
            if incident.domain == part.name
            or (isinstance(incident, Blocklisting) and ips[incident.domain] == ips[part.name])
        ]
        if part.volume is not None:
            _send_all(account, domain, part, part.volume, incidents, random)
    for incident in scenario.incidents:
        _apply_incident(account, account.domains[incident.domain], incident)


def _add_owner(account: Account) -> None:
    """Add the user and the key that the events name."""
    access, since = account.administration.access, account.clock.now() - OLD
    access.users[OWNER] = User(OWNER, "Olga Owner", "olga@example.com", "admin", since, master=True)
    access.keys.setdefault(OWN_KEY_ID, ApiKey(OWN_KEY_ID, "", "admin", since, description="Primary key", user_id=OWNER))


def _add_domain(account: Account, part: DomainPart) -> Domain:
    domain = Domain(account.hex_id(), part.name, account.clock.now() - OLD, part.state)
    account.domains[domain.name] = domain
    if part.ip:
        account.administration.ips.ips.setdefault(part.ip, Ip(part.ip))
        assign_source(domain, SendingSource([part.ip]))
    keys_of(domain)
    return domain


def _send_all(
    account: Account, domain: Domain, part: DomainPart, volume: Volume, incidents: list[Incident], random: Random
) -> None:
    now = account.clock.now()
    for index in range(volume.messages):
        at = min(_in_working_hours(now - volume.days * DAY * (1 - (index + 0.5) / volume.messages)), now - 3)
        address = f"reader{random.randrange(10**6):06d}@{random.choice(PROVIDERS)}"
        active = [incident for incident in incidents if at >= now - incident.hours * HOUR]
        spike = next((incident for incident in active if isinstance(incident, ComplaintSpike)), None)
        tag = spike.campaign if spike and index % 2 else volume.tag
        message = _message(account, part.name, address, tag, index, at)
        if at + domain.retention >= now:
            domain.messages[message.key] = message
        record_event(account, domain, "accepted", message, address, at)
        _arrive(account, domain, message, volume, active, random)


def _in_working_hours(at: float) -> float:
    """Move a moment towards the middle of the working day (14:00 UTC), where most mail goes out."""
    return at - DAILY_SWING * DAY / tau * sin((at % DAY - 14 * HOUR) * tau / DAY)


def _message(account: Account, domain: str, address: str, tag: str, index: int, at: float) -> StoredMessage:
    identity = f"{account.hex_id(16)}@{domain}"
    subject = f"{tag.replace('-', ' ').capitalize()} no. {index + 1}"
    headers = {
        "Mime-Version": "1.0",
        "Date": mail_date(at, "+0000"),
        "Message-Id": f"<{identity}>",
        "From": f"Example <hello@{domain}>",
        "To": address,
        "Subject": subject,
    }
    text = f"Hello,\n\nthis is {subject}.\n"
    key = account.opaque_id(30)
    return StoredMessage(key, identity, domain, at, f"hello@{domain}", [address], headers, text=text, tags=[tag])


def _arrive(
    account: Account, domain: Domain, message: StoredMessage, volume: Volume, active: list[Incident], random: Random
) -> None:
    """Let a message be refused or delivered. Each draws equally often, so that an incident changes nothing else."""
    bounced, opened, clicked, complained = (random.random() for _ in range(4))
    address, at = message.recipients[0], message.at + 2
    host = address.rpartition("@")[2]
    blocks = [block for incident in active for block in _blocks(domain, incident)]
    block = next((block for block in blocks if host in block.hosts), None)
    if block:
        fail_blocked(account, domain, message, address, at, block)
        return
    if bounced < volume.bounce_rate:
        _bounce(account, domain, message, address, at)
        return
    record_event(account, domain, "delivered", message, address, at, delivery_status=delivered_status(address))
    delays = Random(message.id)  # noqa: S311 - the same delays each time
    if opened < volume.open_rate:
        _open(account, domain, message, at, delays, clicks=clicked * volume.open_rate < volume.click_rate)
    at += complaint_delay(delays)
    # The rate is that of all recipients, and only some providers report.
    reported = host in REPORTING_PROVIDERS and complained < _complaint_rate(volume, message, active) / REPORTING
    if reported and at <= account.clock.now():
        record_event(account, domain, "complained", message, address, at)
        add_complaint(domain, address, at)


def _open(account: Account, domain: Domain, message: StoredMessage, at: float, delays: Random, *, clicks: bool) -> None:
    """Record the open, and the click, that have happened by now."""
    address, now = message.recipients[0], account.clock.now()
    opened_at = at + open_delay(delays)
    clicked_at = opened_at + click_delay(delays)
    if opened_at <= now:
        record_event(account, domain, "opened", message, address, opened_at, **reader_of(address))
    if clicks and clicked_at <= now:
        record_event(account, domain, "clicked", message, address, clicked_at, **reader_of(address))


def _complaint_rate(volume: Volume, message: StoredMessage, active: list[Incident]) -> float:
    """Return the rate of a message. Only every second message of a spike is of its campaign, so those get twice its rate."""
    rates = [2 * one.rate for one in active if isinstance(one, ComplaintSpike) and one.campaign in message.tags]
    return max([volume.complaint_rate, *rates])


def _blocks(domain: Domain, incident: Incident) -> list[ProviderBlock]:
    """Return the blocks that an incident causes."""
    if isinstance(incident, Blocklisting):
        ip = ips_used_by(domain)[0]
        text = f"5.7.1 Service unavailable; Client host [{ip}] blocked using {incident.blocklist}"
        return [ProviderBlock([incident.provider], 554, text, sending_ip=ip)]
    if isinstance(incident, BrokenDkim):
        answers = [(host, *UNSIGNED.get(host, UNSIGNED_ELSEWHERE)) for host in incident.providers]
        return [ProviderBlock([host], code, text, unsigned=True) for host, code, text in answers]
    return []


def _bounce(account: Account, domain: Domain, message: StoredMessage, address: str, at: float) -> None:
    status = refused_status(address, 550, UNKNOWN_USER, **{"bounce-type": "hard"})
    details = {"severity": "permanent", "reason": "bounce", "delivery_status": status}
    record_event(account, domain, "failed", message, address, at, **details)
    add_bounce(domain, address, at, "550", UNKNOWN_USER)


def _apply_incident(account: Account, domain: Domain, incident: Incident) -> None:
    """Record an incident outside the mail already sent, and let it continue for mail sent from now on."""
    owner = account.administration.ips if isinstance(incident, Blocklisting) else domain
    owner.blocks.extend(_blocks(domain, incident))
    if isinstance(incident, BrokenDkim):
        domain.absent_records.add("dkim")
        verify_keys(domain)
    elif isinstance(incident, Injection):
        _receive(account, domain, incident)


def _receive(account: Account, domain: Domain, incident: Injection) -> None:
    at = account.clock.now() - incident.hours * HOUR
    message = _message(account, domain.name, f"support@{domain.name}", "inbound", 0, at)
    message.headers = {**message.headers, "From": incident.sender, "Subject": incident.subject}
    message.sender = incident.sender.partition("<")[2].rstrip(">") or incident.sender
    message.text, message.tags, message.routed = incident.text, [], True
    domain.messages[message.key] = message
    record_event(account, domain, "stored", message, message.recipients[0], at)
