"""A thread in Slack in which one user talks to the agent: that is one conversation."""

from dataclasses import dataclass

PREFIX = "slack"


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a conversation is. In a channel each user has their own in the same thread."""

    team: str
    channel: str
    ts: str
    """The message that the thread hangs on."""
    user: str

    @property
    def conversation(self) -> str:
        """The id of the conversation."""
        return ":".join((PREFIX, self.team, self.channel, self.ts, self.user))

    @property
    def is_private(self) -> bool:
        """Whether only the user and the app are in it."""
        return self.channel.startswith("D")


def thread_of(conversation: str) -> Thread | None:
    """Return the thread of a conversation, or None for one that did not begin in Slack."""
    parts = conversation.split(":")
    return Thread(*parts[1:]) if len(parts) == 5 and parts[0] == PREFIX else None
