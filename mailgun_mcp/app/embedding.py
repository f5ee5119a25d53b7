"""What a program passes when it embeds the server: settings as arguments, and the principal who calls."""

from collections.abc import Mapping
from typing import Any

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.principal import Principal, local_user
from mailgun_mcp.settings import OPTIONS, Settings, load
from mailgun_mcp.text.suggest import unknown


def settings_of(arguments: Mapping[str, Any]) -> Settings:
    """Return the settings. Those that are not passed come from the environment and the configuration file.

    Raises SettingsError, which says what to change.
    """
    for name in arguments:
        if name not in (*OPTIONS, "config"):
            raise SettingsError(unknown("setting", name, OPTIONS))
    return load(arguments)


def principal_named(principal: Principal | str | None) -> Principal:
    """Return the principal: the given one, one with the given name, or the local user."""
    return Principal(principal) if isinstance(principal, str) else principal or local_user()
