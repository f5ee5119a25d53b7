"""People's own Mailgun keys, according to the settings of a server: see `call.personal_accounts`."""

from dataclasses import replace
from typing import TYPE_CHECKING

from mailgun_mcp.app.mailgun_clients import create_client
from mailgun_mcp.call.personal_accounts import PersonalKeyOptions
from mailgun_mcp.errors import NotSentError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import REGIONS, resolve
from mailgun_mcp.mailgun.explain import Advice
from mailgun_mcp.output import logs
from mailgun_mcp.settings import Settings, SettingsError
from mailgun_mcp.store.given_keys import GivenKeys

if TYPE_CHECKING:
    import httpx

OWN_ENDPOINT = "this server's"
"""Name shown for the region if the operator set an endpoint. People's keys are then for that endpoint."""
ADVICE = Advice("Its owner stores a valid one on the page /personal-key.", "its owner stores a key of that region")


def encryption_keys(settings: Settings) -> GivenKeys | None:
    """Return the keys that encrypt people's own keys, or None if the operator set none. Raises SettingsError."""
    text, file = settings.personal_keys_secret, settings.personal_keys_secret_file
    if not (text or file):
        return None
    if text and file:
        raise SettingsError(
            "both MAILGUN_MCP_PERSONAL_KEYS_SECRET and MAILGUN_MCP_PERSONAL_KEYS_SECRET_FILE are set: set only one of them"
        )
    keys = GivenKeys("personal_keys_secret_file" if file else "MAILGUN_MCP_PERSONAL_KEYS_SECRET", text, file)
    for key in keys.values:
        logs.withhold(key)
    return keys


def personal_key_options(settings: Settings) -> PersonalKeyOptions | None:
    """Return how people store their own keys, or None if they cannot. Raises SettingsError."""
    keys = encryption_keys(settings)
    if keys is None:
        return None
    own_endpoint = bool(settings.url or settings.hostname)

    def connect(key: str, region: str) -> Client:
        single = replace(settings, accounts={}, account=None, api_key=key, api_key_file=None)
        return create_client(single if own_endpoint else replace(single, region=region), ADVICE)

    regions = (OWN_ENDPOINT,) if own_endpoint else tuple(REGIONS)
    return PersonalKeyOptions(keys, connect, regions, settings.public_url)


def no_client(settings: Settings) -> Client:
    """Return the client of a server without an account. It sends nothing."""

    def connect() -> "httpx.AsyncBaseTransport":
        raise NotSentError("This server has no Mailgun account of its own. Nothing was sent.", "Store your own key.")

    return Client(
        resolve(url=settings.url, hostname=settings.hostname, region=settings.region),
        "",
        user_agent="",
        connect=connect,
    )
