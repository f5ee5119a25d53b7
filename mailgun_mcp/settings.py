"""What a server is started with: flags over environment over configuration file.

The only reader of the environment and of `mailgun-mcp.toml`. The file is taken from the user's
configuration directory or from `--config`, never from the working directory: an IDE starts the
server inside projects of other people, whose file could lift the guard rails.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from mailgun_mcp.text.suggest import unknown

TRANSPORTS = ("stdio", "http", "sse")
LOG_LEVELS = ("debug", "info", "warning", "error")
ALTERNATIVES = (frozenset({"region", "hostname", "url"}), frozenset({"api_key", "api_key_file"}))
"""Options of which one is enough: the stronger source's choice puts the weaker source's aside."""


class SettingsError(ValueError):
    """A flag, variable or key that is unknown or has a value that cannot be used."""


def _option(
    kind: Literal["text", "list", "switch", "integer", "number"],
    help_text: str,
    default: Any,
    *,
    choices: tuple[str, ...] = (),
    env: str | None = None,
    flag: bool = True,
) -> Any:
    metadata = {"kind": kind, "help": help_text, "choices": choices, "env": env, "flag": flag}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every option of a server, by the name of its flag with `_` for `-`."""

    transport: str = _option("text", "how clients connect", "stdio", choices=TRANSPORTS)
    host: str = _option("text", "address to listen on (http, sse); loopback only for now", "127.0.0.1")
    port: int = _option("integer", "port to listen on (http, sse)", 8000)
    toolsets: tuple[str, ...] = _option("list", "offer only the tools of these toolsets", ())
    tools: tuple[str, ...] = _option("list", "offer these tools (adds to --toolsets)", ())
    exclude_tools: tuple[str, ...] = _option("list", "never offer these tools, whatever else is said", ())
    read_only: bool = _option("switch", "offer only tools that read, whatever else is said", False)
    policy: str = _option("text", "guard rails: a policy file, or guarded, strict, read-only, unguarded", "guarded")
    spec: str | None = _option("text", "add the operations of this OpenAPI 3.x file that the catalogue lacks", None)
    simulator: bool = _option("switch", "talk to the built-in simulator: no account, key or network", False)
    scenario: str | None = _option("text", "begin the simulator with this account: a shipped scenario, or YAML", None)
    files: tuple[str, ...] = _option("list", "let calls read files inside these directories", ())
    subaccount: str | None = _option("text", "act in this subaccount (its id)", None)
    subaccount_argument: bool = _option("switch", "give every tool an argument that names a subaccount", False)
    state: str | None = _option("text", "directory of the state store, instead of the user's own", None)
    rate_limit: int = _option("integer", "calls to Mailgun in 10 seconds at most; 0 for no limit", 500)
    log_level: str = _option("text", "what to log on stderr", "info", choices=LOG_LEVELS)
    region: str | None = _option("text", "region of the account", None, choices=("us", "eu"), env="MAILGUN_API_REGION")
    hostname: str | None = _option("text", "host name of the API", None, env="MAILGUN_API_HOSTNAME")
    url: str | None = _option("text", "base URL of the API", None, env="MAILGUN_API_URL")
    timeout: float = _option("number", "seconds to wait for Mailgun", 30.0, env="MAILGUN_TIMEOUT")
    api_key_file: str | None = _option("text", "file that holds the API key", None, env="MAILGUN_API_KEY_FILE")
    api_key: str | None = field(
        default=None,
        repr=False,
        metadata={"kind": "text", "help": "API key", "choices": (), "env": "MAILGUN_API_KEY", "flag": False},
    )

    def key(self) -> str:
        """Return the API key. Raises SettingsError, with what to do, when there is none."""
        if self.api_key and self.api_key_file:
            raise SettingsError("give one of MAILGUN_API_KEY and MAILGUN_API_KEY_FILE, not both")
        key = _read_key(self.api_key_file) if self.api_key_file else self.api_key
        if not key:
            raise SettingsError(
                "no API key: set MAILGUN_API_KEY or MAILGUN_API_KEY_FILE, or add --simulator to try it without an account"
            )
        if key.startswith("$"):
            raise SettingsError("the API key is a reference that the client did not fill in: set the variable it names")
        if not key.isascii() or any(character.isspace() or not character.isprintable() for character in key):
            raise SettingsError("the API key holds a space or a character that no key has")
        return key


OPTIONS = {option.name: option for option in fields(Settings)}
HELD = "MAILGUN_MCP_APPROVAL_ID"
"""Told to a notification hook, which may run `mailgun-mcp` itself: no option, but known."""


def env_name(name: str) -> str:
    """Return the environment variable of the option."""
    return OPTIONS[name].metadata["env"] or f"MAILGUN_MCP_{name.upper()}"


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings. `flags` holds what the command line gave, by option name, None for not given.

    Raises SettingsError for anything unknown or unusable; it names the nearest.
    """
    environ = os.environ if environ is None else environ
    values = _from_file(flags.get("config") or environ.get("MAILGUN_MCP_CONFIG"), environ)
    values = _over(values, _from_environ(environ))
    values = _over(values, {name: value for name, value in flags.items() if value is not None and name in OPTIONS})
    return Settings(**{name: _value(name, value) for name, value in values.items()})


def _over(weaker: dict[str, Any], stronger: dict[str, Any]) -> dict[str, Any]:
    aside = {name for group in ALTERNATIVES if group & stronger.keys() for name in group}
    return {**{name: value for name, value in weaker.items() if name not in aside}, **stronger}


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {env_name(name): name for name in OPTIONS}
    for variable in environ:
        ours = variable.startswith(("MAILGUN_MCP_", "MAILGUN_API_"))
        if ours and variable not in (*known, "MAILGUN_MCP_CONFIG", HELD):
            raise SettingsError(unknown("environment variable", variable, [*known, "MAILGUN_MCP_CONFIG"]))
    return {name: environ[variable] for variable, name in known.items() if environ.get(variable)}


def _from_file(given: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    path = Path(given).expanduser() if given else config_directory(environ) / "mailgun-mcp.toml"
    if not given and not path.is_file():
        return {}
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    values = {name.replace("-", "_"): value for name, value in values.items()}
    for name in values:
        if name not in OPTIONS or name == "api_key":
            hint = "; keep the key in a file and name it with api_key_file" if name == "api_key" else ""
            raise SettingsError(f"{path}: {unknown('key', name, set(OPTIONS) - {'api_key'})}{hint}")
    return values


def config_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory of the user's configuration."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CONFIG_HOME")
    return Path(base) / "mailgun-mcp" if base else Path.home() / ".config" / "mailgun-mcp"


def state_directory(given: str | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory of the state store: `given`, the `state` option, or the user's own."""
    if given:
        return Path(given).expanduser()
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_STATE_HOME")
    return Path(base) / "mailgun-mcp" if base else Path.home() / ".local" / "state" / "mailgun-mcp"


def hook_environment(held: str, state: Path | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command that is told of the held call `held`: this process's without the key.

    With `state`, a `mailgun-mcp` that the command runs looks into that directory.
    """
    environ = os.environ if environ is None else environ
    kept = {name: value for name, value in environ.items() if name != env_name("api_key")}
    return {**kept, HELD: held, **({env_name("state"): str(state.absolute())} if state else {})}


def _value(name: str, value: Any) -> Any:
    kind, choices = OPTIONS[name].metadata["kind"], OPTIONS[name].metadata["choices"]
    try:
        converted = CONVERTERS[kind](value)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{name}: {value!r} is not {ARTICLES[kind]}") from error
    if choices and converted not in choices:
        raise SettingsError(unknown(f"{name.replace('_', ' ')}", str(converted), choices))
    return converted


def _list(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError
    return tuple(item.strip() for item in items if item.strip())


def _switch(value: Any) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = str(value).lower()
    if text not in known:
        raise ValueError
    return known[text]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def _integer(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError
    number = int(value)
    if number < 0:
        raise ValueError
    return number


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "list": _list,
    "switch": _switch,
    "integer": _integer,
    "number": _number,
}
ARTICLES = {
    "text": "a text",
    "list": "a list of names",
    "switch": "true or false",
    "integer": "a whole number from 0 up",
    "number": "a number above 0",
}


def _read_key(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"MAILGUN_API_KEY_FILE: {path} cannot be read: {error}") from error


def colour_wish() -> bool | None:
    """Return what NO_COLOR and FORCE_COLOR say (no-color.org), or None when they say nothing."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


def applications_directory(platform: str) -> Path:
    """Return the directory where desktop applications keep the user's configuration."""
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
