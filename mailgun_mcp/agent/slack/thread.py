"""A thread in Slack in which one user talks to the agent. It is one conversation."""

from dataclasses import dataclass

PREFIX = "slack"


@dataclass(frozen=True, slots=True)
class Thread:
    """The place of a conversation. In a channel, each user has a separate conversation in the same thread."""

    team: str
    channel: str
    ts: str
    """The `ts` of the message that starts the thread."""
    user: str

    @property
    def conversation(self) -> str:
        """The id of the conversation."""
        return ":".join((PREFIX, self.team, self.channel, self.ts, self.user))

    @property
    def is_private(self) -> bool:
        """Whether only the user and the app can see it."""
        return self.channel.startswith("D")


def thread_of(conversation: str) -> Thread | None:
    """Return the thread of a conversation, or None if the conversation did not start in Slack."""
    parts = conversation.split(":")
    return Thread(*parts[1:]) if len(parts) == 5 and parts[0] == PREFIX else None
