"""Counts an account's events over time, and keeps its tags and the first opens and clicks of each message."""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.model.bounce_rules import classify, provider_entity
from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.event_facts import dimensions_of, facts_of, normalize_tag, tag_names
from mailgun_mcp.simulator.model.series import Series

UNIQUE_FOR = 7 * DAY
"""Seconds during which another open or click of a message by the same recipient does not count as unique."""
TAG_LIMIT = 4000
TRACKED = frozenset({"opened", "clicked"})

FAILURE_DIMENSIONS = ("domain", "ip", "ip_pool", "tag", "recipient_domain", "entity", "rule")
"""The dimensions of failures and deliveries for bounce classification. A cell ends with `bounce`, `delay` or `delivered`."""


@dataclass(slots=True)
class Tag:
    """A tag that mail was sent with."""

    tag: str
    first_seen: float
    last_seen: float
    description: str = ""


@dataclass(slots=True)
class Analytics:
    """All counts of an account. They are kept longer than the events."""

    mail: Series = field(default_factory=Series)
    failures: Series = field(default_factory=Series)
    usage: Series = field(default_factory=Series)
    tags: dict[str, dict[str, Tag]] = field(default_factory=dict)
    """Domain -> tag in lower case -> tag."""
    tag_limit: int = TAG_LIMIT
    _seen: dict[str, float] = field(default_factory=dict)
    _rolled: float = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> "Analytics":
        # There may be many entries, and strings and numbers need not be copied.
        memo[id(self._seen)] = dict(self._seen)
        return Analytics(**{field.name: deepcopy(getattr(self, field.name), memo) for field in fields(self)})

    def count_event(self, domain: str, at: float, record: Record) -> bool:
        """Count an event. Return whether it is the recipient's first open or click in seven days."""
        if at - self._rolled > DAY:
            self.roll_up(at)
        kind = record["event"]
        unique = kind in TRACKED and self._is_first(record, at)
        dimensions = dimensions_of(domain, record)
        for fact in facts_of(record, unique=unique):
            self.mail.add(at, (*dimensions, fact))
        if kind in FAILURES:
            self._count_failure(domain, at, record)
        if kind == "accepted" and record["tags"]:
            self._count_tags(domain, at, record["tags"])
        return unique

    def count_usage(self, at: float, *names: str) -> None:
        """Count the use of other products, by the names of usage metrics."""
        for name in names:
            self.usage.add(at, (name,))

    def roll_up(self, now: float) -> None:
        """Merge counts that are older than Mailgun's retention at their resolution."""
        if now - self._rolled >= HOUR:
            self._rolled = now
            self._seen = {key: seen for key, seen in self._seen.items() if now - seen < UNIQUE_FOR}
        for series in (self.mail, self.failures, self.usage):
            series.roll_up(now)

    def tag_names(self) -> set[str]:
        """Return the tags of all domains, in lower case."""
        return {name for tags in self.tags.values() for name in tags}

    def _is_first(self, record: Record, at: float) -> bool:
        key = f"{record['event']} {record['message']['headers']['message-id']} {record['recipient']}"
        seen = self._seen.get(key)
        if seen is not None and at - seen < UNIQUE_FOR:
            return False
        self._seen[key] = at
        return True

    def _count_failure(self, domain: str, at: float, record: Record) -> None:
        if record.get("flags", {}).get("is-test-mode"):
            return
        rule = classify(record)
        if rule is None and record["event"] == "failed":
            return
        envelope = record.get("envelope", {})
        if rule is None and envelope.get("transport") == "http":
            return
        outcome = FAILURES[record["event"]].get(record.get("severity", ""), "delivered")
        source = (domain, envelope.get("sending-ip", ""), envelope.get("i-ip-pool-id", ""), tag_names(record))
        cause = (rule.entity, rule.id) if rule else (provider_entity(record), "")
        self.failures.add(at, (*source, record["recipient-domain"], *cause, outcome))

    def _count_tags(self, domain: str, at: float, names: list[str]) -> None:
        tags = self.tags.setdefault(domain, {})
        for name in map(normalize_tag, names):
            tag = tags.get(name.lower())
            if tag is not None:
                tag.first_seen, tag.last_seen = min(tag.first_seen, at), max(tag.last_seen, at)
            elif name and self._may_add(name.lower()):
                tags[name.lower()] = Tag(name, at, at)

    def _may_add(self, name: str) -> bool:
        names = self.tag_names()
        return name in names or len(names) < self.tag_limit


FAILURES: dict[str, dict[str, str]] = {"failed": {"permanent": "bounce", "temporary": "delay"}, "delivered": {}}
"""Event -> severity -> outcome in bounce classification."""
