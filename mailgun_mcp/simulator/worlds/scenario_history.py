"""Makes the account of a scenario: every message with its events, and the incidents.

The same scenario always gives the same history, up to the clock's current time.
"""

from collections.abc import Iterator
from math import sin, tau
from random import Random

from mailgun_mcp.simulator.mail.delivery import add_complaint, fail_blocked, retry_later
from mailgun_mcp.simulator.mail.dkim import keys_of, verify_keys
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.mail.record_events import delivered_status, record_event
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source
from mailgun_mcp.simulator.model.access import OWN_KEY_ID, ApiKey, User
from mailgun_mcp.simulator.model.account import STORAGE, Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, Clock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Ip
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.worlds.engagement import (
    REPORTING_PROVIDERS,
    click_delay,
    complaint_delay,
    open_delay,
    opener_of,
    reader_of,
)
from mailgun_mcp.simulator.worlds.incident_effects import NEW_VERSION, OLD_VERSION, apply_incident, blocks_of
from mailgun_mcp.simulator.worlds.incidents import (
    BadList,
    Blocklisting,
    BrokenTemplate,
    ComplaintSpike,
    Incident,
    LimitReached,
)
from mailgun_mcp.simulator.worlds.scenario import DomainPart, Scenario, Volume
from mailgun_mcp.simulator.worlds.scenario_mail import bounce_hard, make_message, store

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
"""The recipients' mailbox providers. A provider that is listed three times has three times as many recipients."""
OLD = 300 * DAY
OWNER = "5f3b1e9a7c2d4f6081a3b601"
DAILY_SWING = 0.7
"""The relative swing of the sending rate: how far the busiest hour is above the average, and the quietest below it."""
REPORTING = sum(host in REPORTING_PROVIDERS for host in PROVIDERS) / len(PROVIDERS)
"""The share of recipients whose providers report complaints."""


def scenario_account(scenario: Scenario, clock: Clock, *, storage_url: str = STORAGE) -> Account:
    """Return the account that a scenario describes, at the clock's current time."""
    account = Account(clock, storage_url=storage_url)
    write_history(account, scenario)
    return account


def write_history(account: Account, scenario: Scenario) -> None:
    """Add the scenario's domains and their history to the account."""
    random = Random(scenario.seed)  # noqa: S311 - the history must be reproducible
    _add_owner(account)
    ips = {part.name: part.ip or SHARED_IP for part in scenario.domains}
    for part in scenario.domains:
        domain = _add_domain(account, part)
        incidents = [
            incident
            for incident in scenario.incidents
            if incident.domain == part.name
            or isinstance(incident, LimitReached)
            or (isinstance(incident, Blocklisting) and ips[incident.domain] == ips[part.name])
        ]
        if part.volume is not None:
            _send_all(account, domain, part, part.volume, incidents, random)
    for incident in scenario.incidents:
        apply_incident(account, account.domains[incident.domain], incident)
    _add_routes(account, scenario)


def _add_routes(account: Account, scenario: Scenario) -> None:
    now = account.clock.now()
    for part in scenario.routes:
        made = now - part.days * DAY
        route = Route(account.hex_id(), account.next_serial(), part.expression, made, list(part.actions))
        route.priority, route.description = part.priority, part.description
        account.routes.by_id[route.id] = route
    for mail in scenario.inbound:
        deliver_inbound(account, {"from": mail.sender, "to": mail.to, "subject": mail.subject, "text": mail.text})


def _add_owner(account: Account) -> None:
    """Add the user and the API key that occur in the events."""
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
    domain.webhooks = {event: list(urls) for event, urls in part.webhooks.items()}
    domain.absent_records |= set(part.missing_records)
    if "dkim" in part.missing_records:
        verify_keys(domain)
    return domain


def _send_all(
    account: Account, domain: Domain, part: DomainPart, volume: Volume, incidents: list[Incident], random: Random
) -> None:
    now = account.clock.now()
    for index, at in enumerate(sending_times(now - volume.days * DAY, now - 3, volume.messages)):
        address = f"reader{random.randrange(10**6):06d}@{random.choice(PROVIDERS)}"
        active = [incident for incident in incidents if at >= now - incident.hours * HOUR]
        if any(isinstance(incident, LimitReached) for incident in active):
            continue
        campaign = next((one.campaign for one in active if isinstance(one, ComplaintSpike | BadList)), volume.tag)
        tag = campaign if index % 2 else volume.tag
        subject = f"{tag.replace('-', ' ').capitalize()} no. {index + 1}"
        message = make_message(account, part.name, address, tag, subject, at)
        _fill_in(message, incidents, active)
        store(account, domain, message)
        record_event(account, domain, "accepted", message, address, at)
        _arrive(account, domain, message, volume, active, random)


def _fill_in(message: StoredMessage, incidents: list[Incident], active: list[Incident]) -> None:
    """Record the template that the message was made with, if an incident is about a template."""
    changed = next((incident for incident in incidents if isinstance(incident, BrokenTemplate)), None)
    if changed:
        message.template = changed.template
        message.template_version = NEW_VERSION if changed in active else OLD_VERSION


def sending_times(start: float, end: float, number: int) -> Iterator[float]:
    """Yield `number` times in order. Most are around 14:00 UTC, when most mail is sent."""
    low, high = _evenly(start), _evenly(end)
    for index in range(number):
        yield min(end, _by_day(low + (high - low) * (index + 0.5) / number))


def _by_day(at: float) -> float:
    """Move a time towards the middle of the working day. The order of times is preserved."""
    return at - DAILY_SWING * DAY / tau * sin((at % DAY - 14 * HOUR) * tau / DAY)


def _evenly(moved: float) -> float:
    """Return the time that `_by_day` maps to `moved`."""
    low, high = moved - DAY, moved + DAY
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _by_day(middle) < moved else (low, middle)
    return high


def _arrive(
    account: Account, domain: Domain, message: StoredMessage, volume: Volume, active: list[Incident], random: Random
) -> None:
    """Refuse or deliver a message. All draw the same number of random values, so an incident changes nothing else."""
    bounced, opened, clicked, complained = (random.random() for _ in range(4))
    address, at = message.recipients[0], message.at + 2
    host = address.rpartition("@")[2]
    blocks = [block for incident in active for block in blocks_of(domain, incident)]
    block = next((block for block in blocks if host in block.hosts), None)
    if block:
        (retry_later if block.temporary else fail_blocked)(account, domain, message, address, at, block)
        return
    if bounced < _bounce_rate(volume, message, active):
        bounce_hard(account, domain, message, at)
        return
    record_event(account, domain, "delivered", message, address, at, delivery_status=delivered_status(address))
    delays = Random(message.id)  # noqa: S311 - the delays must be reproducible
    if opened < volume.open_rate:
        has_link = not any(isinstance(incident, BrokenTemplate) for incident in active)
        clicks = has_link and clicked * volume.open_rate < volume.click_rate
        _open(account, domain, message, at, delays, clicks=clicks)
    at += complaint_delay(delays)
    # The rate is relative to all recipients, but only some providers report complaints.
    reported = host in REPORTING_PROVIDERS and complained < _complaint_rate(volume, message, active) / REPORTING
    if reported and at <= account.clock.now():
        record_event(account, domain, "complained", message, address, at)
        add_complaint(domain, address, at)


def _open(account: Account, domain: Domain, message: StoredMessage, at: float, delays: Random, *, clicks: bool) -> None:
    """Record the open, and with `clicks` the click, if they have happened by now."""
    address, now = message.recipients[0], account.clock.now()
    opened_at = at + open_delay(delays)
    clicked_at = opened_at + click_delay(delays)
    if opened_at <= now:
        record_event(account, domain, "opened", message, address, opened_at, **opener_of(address))
    if clicks and clicked_at <= now:
        record_event(account, domain, "clicked", message, address, clicked_at, **reader_of(address))


def _complaint_rate(volume: Volume, message: StoredMessage, active: list[Incident]) -> float:
    """Return the complaint rate of a message.

    Only every second message of a spike belongs to its campaign, so those messages get twice the rate.
    """
    rates = [2 * one.rate for one in active if isinstance(one, ComplaintSpike) and one.campaign in message.tags]
    return max([volume.complaint_rate, *rates])


def _bounce_rate(volume: Volume, message: StoredMessage, active: list[Incident]) -> float:
    rates = [one.rate for one in active if isinstance(one, BadList) and one.campaign in message.tags]
    return max([volume.bounce_rate, *rates])
