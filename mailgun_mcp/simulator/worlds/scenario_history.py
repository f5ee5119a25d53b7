"""Makes the account of a scenario: every message with its events, and the incidents.

The same scenario always makes the same history, up to the clock's present moment.
"""

from random import Random

from mailgun_mcp.simulator.mail.delivery import add_bounce, add_complaint, fail_blocked
from mailgun_mcp.simulator.mail.dkim import keys_of, verify_keys
from mailgun_mcp.simulator.mail.record_events import delivered_status, record_event, refused_status
from mailgun_mcp.simulator.model.account import STORAGE, Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE, Clock, mail_date
from mailgun_mcp.simulator.model.domains import Domain, ProviderBlock
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.model.messages import StoredMessage
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
UNSIGNED = "5.7.26 This mail is unauthenticated: DKIM did not pass (the body hash or key does not match the DNS record)"


def scenario_account(scenario: Scenario, clock: Clock, *, storage_url: str = STORAGE) -> Account:
    """Return the account that a scenario describes, as it is at the clock's present moment."""
    account = Account(clock, storage_url=storage_url)
    write_history(account, scenario)
    return account


def write_history(account: Account, scenario: Scenario) -> None:
    """Add the scenario's domains and their history to the account."""
    random = Random(scenario.seed)  # noqa: S311 - the same history each time
    now = account.clock.now()
    for part in scenario.domains:
        domain = Domain(account.hex_id(), part.name, now - OLD, part.state)
        account.domains[domain.name] = domain
        keys_of(domain)
        incidents = [incident for incident in scenario.incidents if incident.domain == part.name]
        if part.volume is not None:
            _send_all(account, domain, part, part.volume, incidents, random)
        for incident in incidents:
            _apply_incident(account, domain, incident)


def _send_all(
    account: Account, domain: Domain, part: DomainPart, volume: Volume, incidents: list[Incident], random: Random
) -> None:
    now = account.clock.now()
    for index in range(volume.messages):
        at = now - volume.days * DAY * (1 - (index + 0.5) / volume.messages)
        address = f"reader{random.randrange(10**6):06d}@{random.choice(PROVIDERS)}"
        message = _message(account, part.name, address, volume.tag, index, at)
        active = [incident for incident in incidents if at >= now - incident.hours * HOUR]
        if at + domain.retention >= now:
            domain.messages[message.key] = message
        record_event(account, domain, "accepted", message, address, at)
        _arrive(account, domain, message, volume, active, random)


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
    block = next((one for one in map(_block, active) if one and host in one.hosts), None)
    if block:
        fail_blocked(account, domain, message, address, at, block)
        return
    if bounced < volume.bounce_rate:
        _bounce(account, domain, message, address, at)
        return
    record_event(account, domain, "delivered", message, address, at, delivery_status=delivered_status(address))
    now = account.clock.now()
    if opened < volume.open_rate and at + 20 * MINUTE <= now:
        record_event(account, domain, "opened", message, address, at + 20 * MINUTE)
        if clicked * volume.open_rate < volume.click_rate and at + 21 * MINUTE <= now:
            record_event(account, domain, "clicked", message, address, at + 21 * MINUTE)
    rate = max([volume.complaint_rate, *(one.rate for one in active if isinstance(one, ComplaintSpike))])
    if complained < rate and at + 30 * MINUTE <= now:
        record_event(account, domain, "complained", message, address, at + 30 * MINUTE)
        add_complaint(domain, address, at + 30 * MINUTE)


def _block(incident: Incident) -> ProviderBlock | None:
    """Return the block that an incident causes, or None."""
    if isinstance(incident, Blocklisting):
        text = f"5.7.1 Service unavailable; Client host [{SHARED_IP}] blocked using {incident.blocklist}"
        return ProviderBlock([incident.provider], 554, text, sending_ip=SHARED_IP)
    if isinstance(incident, BrokenDkim):
        return ProviderBlock(list(incident.providers), 550, UNSIGNED, unsigned=True)
    return None


def _bounce(account: Account, domain: Domain, message: StoredMessage, address: str, at: float) -> None:
    status = refused_status(address, 550, UNKNOWN_USER, **{"bounce-type": "hard"})
    details = {"severity": "permanent", "reason": "bounce", "delivery_status": status}
    record_event(account, domain, "failed", message, address, at, **details)
    add_bounce(domain, address, at, "550", UNKNOWN_USER)


def _apply_incident(account: Account, domain: Domain, incident: Incident) -> None:
    """Record an incident outside the mail already sent, and let it continue for mail sent from now on."""
    block = _block(incident)
    if block:
        domain.blocks.append(block)
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
