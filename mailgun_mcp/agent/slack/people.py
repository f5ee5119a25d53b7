"""Who acts in Slack: a person of the workspace whom the operator's file maps to a principal, or nobody.

Everything is refused that is not plainly a message or a click of such a person: bots and workflows, messages that were edited
or forwarded, users of other workspaces, and channels that other organisations share.
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
"""Before the team and the user, in `Principal.credential`."""
NOT_A_PERSON = ("bot_id", "bot_profile", "app_id", "workflow_id", "display_as_bot", "username")
"""What Slack adds to messages that a program sent, also where it did so in the name of a person."""
KINDS = (None, "file_share")
"""Subtypes of what a person writes. All others are edits, bots, or what Slack itself says."""
CHANGED = ("edited", "hidden", "previous_message", "message", "root")
TEAMS = ("team", "user_team", "source_team")
"""What a message says of the workspace of its author."""


class People:
    """The users whom the file maps. It is read again when it changes; while it cannot be read, nobody is known."""

    def __init__(self, path: Path, file: SlackFile) -> None:
        self._path = path
        self._file = file
        self._read_at = self._changed_at()

    @property
    def file(self) -> SlackFile | None:
        """The file as it is now, or None while it cannot be read."""
        changed_at = self._changed_at()
        if changed_at is not None and changed_at == self._read_at:
            return self._file
        try:
            self._file = read_file(self._path)
        except SettingsError as error:
            logger().error("nobody in Slack is known until the file is right again", reason=str(error))
            self._read_at = None
            return None
        self._read_at = changed_at
        return self._file

    def who(self, team: Any, user: Any) -> Principal | None:
        """Return the principal of a user of a workspace, or None."""
        file = self.file
        if file is None or not isinstance(user, str) or team != file.team or user not in file.users:
            return None
        return replace(file.users[user].known_as, credential=f"{CREDENTIAL}{team}:{user}")

    def still(self, principal: Principal) -> Principal | None:
        """Return who the user is now whose credential a principal has, or None where that is nobody, or somebody else."""
        team, _, user = principal.credential.removeprefix(CREDENTIAL).partition(":")
        now = self.who(team, user)
        return now if now is not None and now.id == principal.id else None

    def is_from_a_person(self, payload: Mapping[str, Any]) -> bool:
        """Return whether a person of the workspace wrote the message of an event, and it is as they wrote it."""
        event, team, file = payload.get("event") or {}, payload.get("team_id"), self.file
        if file is None or team != file.team or payload.get("is_ext_shared_channel"):
            return False
        foreign = any(event.get(name, team) != team for name in TEAMS)
        changed = any(event.get(name) for name in (*NOT_A_PERSON, *CHANGED))
        return not foreign and not changed and event.get("subtype") in KINDS and isinstance(event.get("user"), str)

    def author(self, payload: Mapping[str, Any]) -> Principal | None:
        """Return who wrote the message of an event, or None where no person did whom the file maps."""
        if not self.is_from_a_person(payload):
            return None
        return self.who(payload["team_id"], payload["event"]["user"])

    def clicker(self, payload: Mapping[str, Any]) -> Principal | None:
        """Return who pressed a button or sent a form, or None."""
        user, team = payload.get("user") or {}, (payload.get("team") or {}).get("id")
        if user.get("team_id", team) != team:
            return None
        return self.who(team, user.get("id"))

    def _changed_at(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None
