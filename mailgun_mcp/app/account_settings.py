"""The accounts in the configuration file: `[accounts.NAME]` with endpoint, source of the API key, and allowed users."""

import shlex
import subprocess
from dataclasses import dataclass, fields, replace
from typing import Any

from mailgun_mcp.errors import reason_of
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.mailgun.explain import Advice
from mailgun_mcp.settings import Settings, SettingsError, environment_value, hook_environment
from mailgun_mcp.store.keyring import find_keyring
from mailgun_mcp.text.suggest import unknown

KEY_SOURCES = ("api_key_file", "api_key_env", "api_key_keyring", "api_key_command")
ENDPOINT = ("region", "hostname", "url")
ELSEWHERE = (*ENDPOINT, "subaccount", "api_key_file", "api_key")
"""Settings of a server with one account. With `[accounts]`, it would be unclear which account they are for."""
COMMAND_TIMEOUT = 60.0
"""Seconds for which the command may run: it may wait for a person to unlock a vault."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One table `[accounts.NAME]`."""

    name: str
    region: str | None = None
    hostname: str | None = None
    url: str | None = None
    subaccount: str | None = None
    api_key_file: str | None = None
    api_key_env: str | None = None
    """Name of an environment variable."""
    api_key_keyring: str | None = None
    """`SERVICE/NAME` in the system's keyring."""
    api_key_command: tuple[str, ...] | None = None
    """A command that prints the key. It is run without a shell."""
    principals: tuple[str, ...] | None = None
    """Globs of the principals who may use the account. None for everybody whose token permits it."""

    def applied(self, settings: Settings) -> Settings:
        """Return the settings of a server with only this account.

        Raises SettingsError, which names the account, if its key or its endpoint cannot be used.
        """
        single = self._single(settings)
        try:
            resolve(region=self.region, hostname=self.hostname, url=self.url)
            if not settings.simulator:
                single.key()
        except SettingsError as error:
            raise SettingsError(f"accounts.{self.name}: {error}") from error
        return single

    @property
    def advice(self) -> Advice:
        """What to do where Mailgun refuses the account's key or does not know a domain."""
        return Advice(
            f"Whoever runs this server checks the key of the account {self.name} in mailgun-mcp.toml.",
            "use an account of that region",
        )

    def _single(self, settings: Settings) -> Settings:
        endpoint = {name: getattr(self, name) for name in (*ENDPOINT, "subaccount")}
        single = replace(settings, account=self.name, accounts={}, api_key=None, api_key_file=None, **endpoint)
        if settings.simulator:
            # Each account gets its own simulator, which accepts any key.
            return replace(single, api_key=f"simulator-{self.name}")
        if self.api_key_file is not None:
            return replace(single, api_key_file=self.api_key_file)
        return replace(single, api_key=self._key())

    @property
    def source(self) -> str:
        """Where the key comes from, for a person."""
        if self.api_key_file is not None:
            return self.api_key_file
        if self.api_key_env is not None:
            return f"the variable {self.api_key_env}"
        if self.api_key_keyring is not None:
            return f"{self.api_key_keyring} in the keyring"
        return "the output of the command"

    def _key(self) -> str:
        if self.api_key_env is not None:
            key = environment_value(self.api_key_env)
        elif self.api_key_keyring is not None:
            key = _key_in_keyring(self.name, self.api_key_keyring)
        else:
            key = _key_of_command(self.name, self.api_key_command or ())
        if not key:
            raise SettingsError(f"accounts.{self.name}: {self.source} has no API key")
        return key


def account_settings(settings: Settings) -> tuple[AccountSettings, ...]:
    """Return the accounts in the file, or only the one that `--account` names.

    Empty for a server with only the account of MAILGUN_API_KEY. Raises SettingsError, which says what to change.
    """
    if not settings.accounts:
        return ()
    for name in ELSEWHERE:
        if getattr(settings, name):
            raise SettingsError(
                f"{name} is set, and the configuration file has several accounts: set it in one of the tables "
                f"[accounts.{next(iter(settings.accounts))}], …"
            )
    accounts = tuple(_account(name, table) for name, table in settings.accounts.items())
    if settings.account is None:
        return accounts
    if settings.account not in settings.accounts:
        raise SettingsError(unknown("account", settings.account, settings.accounts))
    return tuple(account for account in accounts if account.name == settings.account)


def _account(name: str, table: Any) -> AccountSettings:
    from mailgun_mcp.identity.accounts import NAME, NAME_RULE

    where = f"accounts.{name}"
    if not NAME.fullmatch(name):
        raise SettingsError(f"{where}: {name!r} is not the name of an account: {NAME_RULE}")
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table: [{where}]")
    values = {key.replace("-", "_"): value for key, value in table.items()}
    options = [field.name for field in fields(AccountSettings) if field.name != "name"]
    for key in values:
        if key not in options:
            hint = f"; give one of {', '.join(KEY_SOURCES)}" if key == "api_key" else ""
            raise SettingsError(f"{where}: {unknown('key', key, options)}{hint}")
    lists = {key: _texts(where, key, values[key]) for key in ("api_key_command", "principals") if key in values}
    for key in values.keys() - lists.keys():
        if not isinstance(values[key], str) or not values[key]:
            raise SettingsError(f"{where}: {key} must be text")
    sources = [source for source in KEY_SOURCES if source in values]
    if len(sources) != 1:
        raise SettingsError(f"{where}: give one of {', '.join(KEY_SOURCES)}")
    if sum(key in values for key in ENDPOINT) > 1:
        raise SettingsError(f"{where}: give one of region, hostname and url")
    return AccountSettings(name, **{**values, **lists})


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and key == "api_key_command":
        value = shlex.split(value)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise SettingsError(f"{where}: {key} must be a list of texts, with at least one")
    return tuple(value)


def _key_of_command(account: str, command: tuple[str, ...]) -> str:
    """Return the first line of the command's output. The output is never shown, because it may be a key."""
    try:
        printed = subprocess.check_output(  # noqa: S603 - the operator's own command, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=COMMAND_TIMEOUT,
            env=hook_environment(None),
        )
    except subprocess.TimeoutExpired as error:
        raise SettingsError(
            f"accounts.{account}: {command[0]} did not end within {COMMAND_TIMEOUT:.0f} seconds"
        ) from error
    except subprocess.CalledProcessError as error:
        raise SettingsError(
            f"accounts.{account}: {command[0]} ended with code {error.returncode}; run it in a terminal"
        ) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"accounts.{account}: the command cannot be run: {reason_of(error)}") from error
    return printed.strip().partition("\n")[0].strip()


def _key_in_keyring(account: str, entry: str) -> str | None:
    service, slash, name = entry.rpartition("/")
    if not (service and slash and name):
        raise SettingsError(f"accounts.{account}: api_key_keyring must be SERVICE/NAME")
    keyring = find_keyring()
    if keyring is None:
        raise SettingsError(
            f"accounts.{account}: there is no keyring that encrypts. It needs the package keyring "
            "(pip install 'mailgun-mcp-server[keyring]') and a desktop session that is unlocked"
        )
    try:
        return keyring.get_password(service, name)
    except Exception as error:  # keyring backends can raise any exception
        raise SettingsError(f"accounts.{account}: the keyring cannot be read: {error}") from error
