"""Turns an event into what is counted: the facts that metrics are computed from, and the values of its dimensions."""

from collections.abc import Callable

from mailgun_mcp.catalogue.types import Record

DIMENSIONS = ("domain", "ip", "ip_pool", "recipient_domain", "recipient_provider", "tag", "country", "device", "bot")
"""The dimensions of a count, in the order of a cell's values. The last value of a cell is the fact."""

SUPPRESSED = {
    "suppress-bounce": "suppressed_bounces",
    "suppress-unsubscribe": "suppressed_unsubscribed",
    "suppress-complaint": "suppressed_complaints",
}
REASONS = {"espblock": "esp_block", "old": "old"}


TAG_LENGTH = 128


def normalize_tag(name: str) -> str:
    """Return a tag as Mailgun stores it, without its non-ASCII characters."""
    return name.encode("ascii", "ignore").decode().strip()[:TAG_LENGTH]


def tag_names(record: Record) -> tuple[str, ...]:
    """Return the tags of an event in lower case, since case does not matter."""
    return tuple([normalize_tag(name).lower() for name in record.get("tags") or ()])


def dimensions_of(domain: str, record: Record) -> tuple[object, ...]:
    """Return the event's values of `DIMENSIONS`. The tags together are one value."""
    envelope, client = record.get("envelope", {}), record.get("client-info", {})
    return (
        domain,
        envelope.get("sending-ip", ""),
        envelope.get("i-ip-pool-id", ""),
        record.get("recipient-domain", ""),
        record.get("recipient-provider", ""),
        tag_names(record),
        record.get("geolocation", {}).get("country", ""),
        client.get("device-type", ""),
        client.get("bot", ""),
    )


def facts_of(record: Record, *, unique: bool = False) -> tuple[str, ...]:
    """Return the facts that the event counts as. Test mail counts only as accepted."""
    if record.get("flags", {}).get("is-test-mode") and record["event"] != "accepted":
        return ()
    read = FACTS.get(record["event"])
    return read(record, unique) if read else ()


def _accepted(record: Record, _: bool) -> tuple[str, ...]:
    incoming = record.get("flags", {}).get("is-routed") or "mailing-list" in record
    return ("accepted_incoming",) if incoming else ("accepted_outgoing",)


def _delivered(record: Record, _: bool) -> tuple[str, ...]:
    facts = ["delivered_http" if record.get("envelope", {}).get("transport") == "http" else "delivered_smtp"]
    facts += ["delivered_first_attempt", "processed"] if _attempt(record) == 1 else ["delivered_two_plus_attempts"]
    if "i-delivery-optimizer" in record:
        facts.append("delivered_optimized")
    return tuple(facts)


def _failed(record: Record, _: bool) -> tuple[str, ...]:
    facts = _temporary(record) if record.get("severity") == "temporary" else _permanent(record)
    if _attempt(record) == 1:
        facts.append("processed")
    if record.get("flags", {}).get("is-webhook"):
        facts.append("webhook")
    return tuple(facts)


def _temporary(record: Record) -> list[str]:
    facts = ["temporary_failed"]
    if record.get("reason") == "espblock":
        facts.append("temporary_failed_esp_block")
    if _attempt(record) == 1:
        facts.append("delayed_first_attempt")
    return facts


def _permanent(record: Record) -> list[str]:
    reason = record.get("reason", "")
    if reason in SUPPRESSED:
        return [SUPPRESSED[reason]]
    facts = ["hard_bounces" if is_hard(record) else "soft_bounces"]
    if reason in REASONS:
        facts.append(f"permanent_failed_{REASONS[reason]}")
    if "i-delivery-optimizer" in record:
        facts.append("permanent_failed_optimized")
    if record.get("flags", {}).get("is-delayed-bounce"):
        facts.append("delayed_bounce")
    return facts


def is_hard(record: Record) -> bool:
    """Return whether a permanent failure is a hard bounce, which means that the address itself is bad."""
    kind = record.get("delivery-status", {}).get("bounce-type")
    return kind == "hard" if kind else record.get("reason") == "bounce"


def _attempt(record: Record) -> int:
    return int(record.get("delivery-status", {}).get("attempt-no", 1))


def _engaged(record: Record, unique: bool) -> tuple[str, ...]:
    name: str = record["event"]
    return (name, f"unique_{name}") if unique else (name,)


def _itself(record: Record, _: bool) -> tuple[str, ...]:
    return (record["event"],)


FACTS: dict[str, Callable[[Record, bool], tuple[str, ...]]] = {
    "accepted": _accepted,
    "delivered": _delivered,
    "failed": _failed,
    "opened": _engaged,
    "clicked": _engaged,
    "unsubscribed": _itself,
    "complained": _itself,
    "stored": _itself,
}
