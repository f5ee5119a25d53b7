"""Mailing lists: addresses that forward mail to their members."""

from dataclasses import dataclass, field
from typing import Any, Literal

AccessLevel = Literal["readonly", "members", "everyone"]
ReplyPreference = Literal["list", "sender"]


@dataclass(slots=True)
class Member:
    """An address on a mailing list. Members who unsubscribe stay on the list."""

    address: str
    name: str = ""
    vars: dict[str, Any] = field(default_factory=dict)
    subscribed: bool = True


@dataclass(slots=True)
class ListValidation:
    """A validation of all members of a list, and the verdict on each."""

    created_at: float
    verdicts: list[dict[str, Any]]


@dataclass(slots=True)
class MailingList:
    """A mailing list. Addresses are in lower case."""

    address: str
    created_at: float
    name: str = ""
    description: str = ""
    access_level: AccessLevel = "readonly"
    reply_preference: ReplyPreference = "list"
    list_id: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    """Address -> member."""
    validation: ListValidation | None = None

    @property
    def subscribers(self) -> list[Member]:
        """The members that receive the list's mail."""
        return [member for member in self.members.values() if member.subscribed]

    def lets_post(self, sender: str) -> bool:
        """Return whether inbound mail from `sender` is forwarded to the members."""
        if self.access_level == "members":
            member = self.members.get(sender.lower())
            return member is not None and member.subscribed
        return self.access_level == "everyone"
