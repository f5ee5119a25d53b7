"""The operator's file for Slack: the workspace, its users as principals, and where calls are approved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mailgun_mcp.agent import operator_files
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.settings import environment_value
from mailgun_mcp.text.host_names import LOOPBACK

API = "https://slack.com/api/"
TEAM = r"^[TE][A-Z0-9]{2,30}$"
UserId = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,30}$")]
ChannelId = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,30}$")]
BOT_TOKEN, SIGNING_SECRET, APP_TOKEN = "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"


class SlackUser(BaseModel):
    """Who a user of the workspace is here, and what they may do."""

    model_config = ConfigDict(extra="forbid")
    principal: str = Field(min_length=1, max_length=200)
    scopes: list[str]
    accounts: list[str] | None = None
    domains: list[str] | None = None

    @field_validator("principal")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not name.isprintable() or name != name.strip() or name.casefold() == ANONYMOUS.id:
            raise ValueError("this is not the name of a person")
        return name

    @field_validator("scopes")
    @classmethod
    def _are_scopes(cls, scopes: list[str]) -> list[str]:
        try:
            parse_scopes(scopes)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return scopes

    @property
    def known_as(self) -> Principal:
        """The principal that the user is on this server."""
        accounts, domains = (None if names is None else tuple(names) for names in (self.accounts, self.domains))
        return Principal(self.principal, access=Access(parse_scopes(self.scopes), accounts, domains))


class SlackFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid")
    team: str = Field(pattern=TEAM)
    """The id of the workspace. Users of other workspaces are unknown, even in shared channels."""
    users: dict[UserId, SlackUser]
    channels: list[ChannelId] = []
    """Channels in which the app answers when it is mentioned. Everybody in them can read the answers."""
    approvers_channel: ChannelId | None = None
    """The channel for calls that somebody other than the asker must approve."""
    approve_in: str = Field("thread", pattern="^(thread|channel)$")
    """`channel`: every call is approved in the approvers' channel, even one that the asker could approve."""
    socket_mode: bool = False
    """Whether Slack is reached through a socket. Then it sends nothing to this server's URL."""
    api_url: str = API
    """Another URL of Slack's API, such as https://slack-gov.com/api/."""

    @field_validator("api_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ValueError("the address must begin with https://")
        return url if url.endswith("/") else f"{url}/"


@dataclass(frozen=True, slots=True)
class SlackSecrets:
    """The secrets with which this server and Slack authenticate to each other."""

    bot_token: str = field(repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    app_token: str | None = field(default=None, repr=False)


def read_file(path: Path) -> SlackFile:
    """Return the operator's file. Raises SettingsError, which lists everything that is wrong."""
    file = operator_files.read_file(path, SlackFile, "slack")
    if file.approve_in == "channel" and file.approvers_channel is None:
        raise SettingsError(f"slack: {path}: approve_in is `channel`, so name the approvers_channel")
    return file


def read_secrets(file: SlackFile, variables: Mapping[str, str] | None = None) -> SlackSecrets:
    """Return the secrets from the environment. Raises SettingsError if one is missing."""
    value = environment_value if variables is None else variables.get
    other = APP_TOKEN if file.socket_mode else SIGNING_SECRET
    missing = [name for name in (BOT_TOKEN, other) if not (value(name) or "").strip()]
    if missing:
        raise SettingsError(f"slack: set {' and '.join(missing)}: docs/slack.md says where Slack shows it")
    secrets = {name: (value(name) or "").strip() for name in (BOT_TOKEN, other)}
    if file.socket_mode:
        return SlackSecrets(secrets[BOT_TOKEN], app_token=secrets[APP_TOKEN])
    return SlackSecrets(secrets[BOT_TOKEN], signing_secret=secrets[SIGNING_SECRET])
