"""A domain's suppression lists: bounces, complaints, unsubscribes, and the allowlist."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Bounce:
    """An address that mail bounced from."""

    address: str
    created_at: float
    code: str = "550"
    error: str = ""

    def __deepcopy__(self, _: object) -> "Bounce":
        return self


@dataclass(frozen=True, slots=True)
class Complaint:
    """An address whose owner reported a mail as spam."""

    address: str
    created_at: float
    count: int = 1

    def __deepcopy__(self, _: object) -> "Complaint":
        return self


@dataclass(slots=True)
class Unsubscribe:
    """An address that unsubscribed from all mail, or from mail with some tags (`*` means every tag)."""

    address: str
    created_at: float
    id: str
    tags: list[str] = field(default_factory=lambda: ["*"])


@dataclass(slots=True)
class AllowlistEntry:
    """An address or domain that is never put on the bounce list."""

    value: str
    created_at: float
    type: Literal["address", "domain"] = "address"
    reason: str = ""
