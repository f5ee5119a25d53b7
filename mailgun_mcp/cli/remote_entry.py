"""The entry of a client that connects to a server over HTTP, with the server's token in a header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.cli.clients import CLIENTS, ClientProgram
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK


@dataclass(frozen=True, slots=True)
class RemoteForm:
    """The form of a client's entry for a server that is already running."""

    url: str = "url"
    headers: str = "headers"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """The fixed values at the start of every entry."""


HTTP = {"type": "http"}
REMOTE = {"type": "remote"}
FORMS: dict[str, RemoteForm] = {
    "claude-code": RemoteForm(fixed=HTTP),
    "cursor": RemoteForm(),
    "vscode": RemoteForm(fixed=HTTP),
    "windsurf": RemoteForm(url="serverUrl"),
    "zed": RemoteForm(),
    "cline": RemoteForm(fixed={"type": "streamableHttp"}),
    "codex": RemoteForm(headers="http_headers"),
    "gemini": RemoteForm(url="httpUrl"),
    "copilot-cli": RemoteForm(fixed={**HTTP, "tools": ["*"]}),
    "opencode": RemoteForm(fixed=REMOTE),
    "opencode-1": RemoteForm(fixed=REMOTE),
    "goose": RemoteForm(url="uri", fixed={**CLIENTS["goose"].fixed, "type": "streamable_http"}),
}
"""Key in CLIENTS -> form of the entry, for the clients that can send headers."""


def remote_entry(client: ClientProgram, url: str, token: str) -> dict[str, Any]:
    """Return the entry that connects to the server at `url`. Raises SettingsError if that is not possible."""
    forms = {CLIENTS[key].title: form for key, form in FORMS.items()}
    form = forms.get(client.title)
    if form is None:
        raise SettingsError(
            f"{client.title} cannot send the server's token over HTTP: let it run the server itself, without --server-url"
        )
    _check(url)
    return {**form.fixed, form.url: url, form.headers: {"Authorization": f"Bearer {token}"}}


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"server-url: {url!r} is not a URL") from error
    if parts.scheme != "http" or host not in LOOPBACK or parts.username or parts.query or not parts.path.strip("/"):
        raise SettingsError(
            f"server-url: {url!r} must be the address that the server wrote when it started, such as "
            "http://127.0.0.1:8000/mcp. The token is for a server on this machine"
        )
