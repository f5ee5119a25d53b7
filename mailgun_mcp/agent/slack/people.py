"""Who acts in Slack: a person of the workspace whom the operator's file maps to a principal, or nobody.

Anything that is not plainly a message or click by such a person is refused: bots and workflows, edited or forwarded
messages, users of other workspaces, and channels shared with other organisations.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailgun_mcp.agent.slack.config import SlackFile, read_file
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger

CREDENTIAL = "slack:"
"""Prefix of the team and user in `Principal.credential`."""
NOT_A_PERSON = ("bot_id", "bot_profile", "app_id", "workflow_id", "display_as_bot", "username")
"""Fields that Slack adds to messages sent by a program, even in a person's name."""
KINDS = (None, "file_share")
"""Subtypes of messages that a person writes. All others are edits, bots, or messages from Slack itself."""
CHANGED = ("edited", "hidden", "previous_message", "message", "root")
TEAMS = ("team", "user_team", "source_team")
"""Fields in which a message names its author's workspace."""


class People:
    """The users in the file. It is read again when it changes. While it cannot be read, nobody is known."""

    def __init__(self, path: Path, file: SlackFile) -> None:
        self._path = path
        self._file = file
        self._read_at = self._changed_at()

    @property
    def file(self) -> SlackFile | None:
        """The current content of the file, or None while it cannot be read."""
        changed_at = self._changed_at()
        if changed_at is not None and changed_at == self._read_at:
            return self._file
        try:
            self._file = read_file(self._path)
        except SettingsError as error:
            logger().error("nobody in Slack is recognized until the file is corrected", reason=str(error))
            self._read_at = None
            return None
        self._read_at = changed_at
        return self._file

    def who(self, team: Any, user: Any) -> Principal | None:
        """Return the principal of a user in a workspace, or None."""
        file = self.file
        if file is None or not isinstance(user, str) or team != file.team or user not in file.users:
            return None
        return replace(file.users[user].known_as, credential=f"{CREDENTIAL}{team}:{user}")

    def still(self, principal: Principal) -> Principal | None:
        """Return the current principal of the user with this credential, or None if it is nobody or somebody else."""
        team, _, user = principal.credential.removeprefix(CREDENTIAL).partition(":")
        now = self.who(team, user)
        return now if now is not None and now.id == principal.id else None

    def is_from_a_person(self, payload: Mapping[str, Any]) -> bool:
        """Return whether a person of the workspace wrote the message of an event, and it is unchanged."""
        event, team, file = payload.get("event") or {}, payload.get("team_id"), self.file
        if file is None or team != file.team or payload.get("is_ext_shared_channel"):
            return False
        foreign = any(event.get(name, team) != team for name in TEAMS)
        changed = any(event.get(name) for name in (*NOT_A_PERSON, *CHANGED))
        return not foreign and not changed and event.get("subtype") in KINDS and isinstance(event.get("user"), str)

    def author(self, payload: Mapping[str, Any]) -> Principal | None:
        """Return who wrote the message of an event. None unless it was a person in the file."""
        if not self.is_from_a_person(payload):
            return None
        return self.who(payload["team_id"], payload["event"]["user"])

    def clicker(self, payload: Mapping[str, Any]) -> Principal | None:
        """Return who pressed a button or submitted a form, or None."""
        user, team = payload.get("user") or {}, (payload.get("team") or {}).get("id")
        if user.get("team_id", team) != team:
            return None
        return self.who(team, user.get("id"))

    def _changed_at(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None
