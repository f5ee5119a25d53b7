"""Settings: which source wins, and what each refuses."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.settings import (
    OPTIONS,
    Settings,
    SettingsError,
    applications_directory,
    env_name,
    load,
    shell_command,
    state_directory,
)

KEY = "key-0123456789abcdef0123456789abcdef"


def from_file(directory: Path, text: str) -> dict[str, str]:
    """Return flags that name a configuration file with `text`."""
    path = directory / "chosen.toml"
    path.write_text(text, encoding="utf-8")
    return {"config": str(path)}


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    given = {**from_file(tmp_path, 'log-level = "error"\npolicy = "read-only"\nport = 1'), "log_level": "debug"}
    environ = {"MAILGUN_MCP_LOG_LEVEL": "warning", "MAILGUN_MCP_POLICY": "unguarded"}
    assert load(given, environ) == Settings(log_level="debug", policy="unguarded", port=1)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_read_from_its_variable(name: str, tmp_path: Path) -> None:
    kind, choices = OPTIONS[name].metadata["kind"], OPTIONS[name].metadata["choices"]
    text = (
        choices[-1]
        if choices
        else {"switch": "yes", "integer": "7", "number": "7.5", "url": "https://a.example"}.get(kind, "a")
    )
    value: Any = {"switch": True, "integer": 7, "number": 7.5, "list": ("a",)}.get(kind, text)
    environ = {env_name(name): text, "XDG_CONFIG_HOME": str(tmp_path)}
    assert load({}, environ) == Settings(**{name: value})


@pytest.mark.parametrize(
    ("file", "environ", "flags", "expected"),
    [
        pytest.param("", {"MAILGUN_API_KEY": KEY}, {"api_key_file": "k"}, {"api_key_file": "k"}, id="key-file-by-flag"),
        pytest.param('api_key_file = "k"', {"MAILGUN_API_KEY": KEY}, {}, {"api_key": KEY}, id="key-by-variable"),
        pytest.param('region = "eu"', {"MAILGUN_API_HOSTNAME": "a.b"}, {}, {"hostname": "a.b"}, id="host-by-variable"),
        pytest.param("", {"MAILGUN_API_URL": "https://a.b"}, {"region": "eu"}, {"region": "eu"}, id="region-by-flag"),
    ],
)
def test_the_stronger_source_puts_aside_what_it_replaces(
    file: str, environ: Mapping[str, str], flags: Mapping[str, str], expected: dict[str, Any], tmp_path: Path
) -> None:
    assert load({**from_file(tmp_path, file), **flags}, environ) == Settings(**expected)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    environ = {"MAILGUN_API_KEY": "", "MAILGUN_MCP_PORT": "", "XDG_CONFIG_HOME": str(tmp_path)}
    assert load({}, environ) == Settings()


def test_the_users_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mailgun-mcp").mkdir()
    (tmp_path / "mailgun-mcp" / "mailgun-mcp.toml").write_text("read_only = true", encoding="utf-8")
    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path)}) == Settings(read_only=True)


def test_the_file_of_the_working_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mailgun-mcp.toml").write_text('policy = "unguarded"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}) == Settings()


def test_the_file_is_named_by_a_variable(tmp_path: Path) -> None:
    path = from_file(tmp_path, 'toolsets = ["events", "bounces"]')["config"]
    assert load({}, {"MAILGUN_MCP_CONFIG": path}) == Settings(toolsets=("events", "bounces"))


@pytest.mark.parametrize("variable", ["MAILGUN_MCP_TOOLSET", "MAILGUN_API_KEYS", "MAILGUN_API_REGOIN"])
def test_an_unknown_variable_names_the_nearest(variable: str) -> None:
    with pytest.raises(SettingsError, match=r"unknown environment variable .* did you mean 'MAILGUN_(MCP|API)_"):
        load({}, {variable: "x"})


def test_variables_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    assert load({}, {"MAILGUN_DOMAIN": "x", "PATH": "y", "XDG_CONFIG_HOME": str(tmp_path)}) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("toolset = []", r"unknown key 'toolset': did you mean 'toolsets'\?", id="unknown"),
        pytest.param("[serve]\nport = 1", "unknown key 'serve'", id="a-table"),
        pytest.param('api_key = "x"', "save the key in a file of its own and set api_key_file", id="the-key-itself"),
        pytest.param("port = ", "Invalid value", id="not-toml"),
        pytest.param("port = true", "port: true must be a whole number", id="truth-for-number"),
        pytest.param("port = 80.9", "port: 80.9 must be a whole number", id="fraction-for-integer"),
        pytest.param("port = inf", "port: inf must be a whole number", id="infinity-for-integer"),
        pytest.param("toolsets = 5", "toolsets: 5 must be a list of names", id="number-for-list"),
        pytest.param("toolsets = [5]", "must be a list of names", id="number-in-list"),
        pytest.param("toolsets = {a = 1}", "must be a list of names", id="table-for-list"),
        pytest.param("region = 5", "region: 5 must be text", id="number-for-text"),
        pytest.param("timeout = true", "timeout: true must be a number", id="truth-for-fraction"),
        pytest.param('read_only = "maybe"', "read-only: 'maybe' must be true or false", id="neither-true-nor-false"),
    ],
)
def test_a_file_with_a_fault_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        load(from_file(tmp_path, text), {})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not-utf-8"])
def test_a_named_file_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "given.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"given\.toml"):
        load({"config": str(path)}, {})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("region", "uk", "unknown region 'uk': choose from eu, us", id="region"),
        pytest.param("transport", "htp", r"did you mean 'http'\?", id="transport"),
        pytest.param("log_level", "warn", r"unknown log level 'warn': did you mean 'warning'\?", id="log-level"),
        pytest.param("port", "-1", "port: '-1' must be a whole number, 0 or more", id="negative-integer"),
        pytest.param("port", "nan", "must be a whole number", id="nan-integer"),
        pytest.param("port", "1e3", "must be a whole number", id="exponent"),
        pytest.param("rate_limit", "many", "rate-limit: 'many' must be a whole number", id="word-for-integer"),
        pytest.param("public_url", "mail-admin", "public-url: 'mail-admin' must be a URL", id="word-for-url"),
        pytest.param("public_url", "https://u:p@a.example.com", "must be a URL", id="url-with-password"),
        pytest.param("public_url", "https://a.example.com?x=1", "must be a URL", id="url-with-query"),
        pytest.param("timeout", "-1", "timeout: '-1' must be a number greater than 0", id="negative-number"),
        pytest.param("timeout", "0", "must be a number greater than 0", id="no-time"),
        pytest.param("timeout", "nan", "must be a number greater than 0", id="nan"),
        pytest.param("timeout", "inf", "must be a number greater than 0", id="infinity"),
        pytest.param("timeout", "1e999", "must be a number greater than 0", id="too-large"),
        pytest.param("simulator", "2", "must be true or false", id="switch"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(name: str, value: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        load({}, {env_name(name): value, "XDG_CONFIG_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("1", "true", "YES", "on")),
        *((text, False) for text in ("0", "False", "no", "off")),
    ],
)
def test_switches_take_the_usual_words(text: str, value: bool, tmp_path: Path) -> None:
    assert load({}, {"MAILGUN_MCP_READ_ONLY": text, "XDG_CONFIG_HOME": str(tmp_path)}).read_only is value


def test_lists_are_split_at_commas_and_trimmed(tmp_path: Path) -> None:
    environ = {"MAILGUN_MCP_TOOLS": " a, b ,,c,", "XDG_CONFIG_HOME": str(tmp_path)}
    assert load({}, environ).tools == ("a", "b", "c")


def test_the_key_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    assert Settings(api_key_file=str(tmp_path / "key")).key() == KEY


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "the file of the API key, ", id="missing"),
        pytest.param(b"\xff", "the file of the API key, ", id="not-utf-8"),
        pytest.param(b" \n", "no API key", id="blank"),
        pytest.param(b"one\ntwo", "contains a space", id="two-lines"),
    ],
)
def test_a_key_file_without_a_key_is_refused(content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        Settings(api_key_file=str(tmp_path / "key")).key()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        pytest.param(None, "no API key: set MAILGUN_API_KEY or MAILGUN_API_KEY_FILE, or add --simulator", id="none"),
        pytest.param("two words", "contains a space", id="space"),
        pytest.param("key\r\nX-Injected: 1", "contains a space", id="line-break"),
        pytest.param("key\x00", "contains a space or another character", id="nul"),
        pytest.param("schlüssel", "contains a space or another character", id="not-ascii"),
        pytest.param(
            "${env:MAILGUN_API_KEY}", "a reference to a variable, which the client did not resolve", id="reference"
        ),
        pytest.param(
            "$MAILGUN_API_KEY", "a reference to a variable, which the client did not resolve", id="short-reference"
        ),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_and_not_repeated(key: str | None, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        Settings(api_key=key).key()
    assert key is None or key not in str(caught.value)


def test_a_key_and_a_key_file_from_one_source_are_refused() -> None:
    with pytest.raises(
        SettingsError, match="both MAILGUN_API_KEY and MAILGUN_API_KEY_FILE are set: set only one of them"
    ):
        load({}, {"MAILGUN_API_KEY": KEY, "MAILGUN_API_KEY_FILE": "key"}).key()


def test_the_key_shows_nowhere_in_the_settings() -> None:
    assert KEY not in repr(Settings(api_key=KEY)) + str(Settings(api_key=KEY))


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("darwin", {}, "home/Library/Application Support"),
        ("linux", {}, "home/.config"),
        ("linux", {"XDG_CONFIG_HOME": "/xdg"}, "/xdg"),
        ("win32", {"APPDATA": "/appdata"}, "/appdata"),
        ("win32", {}, "home/AppData/Roaming"),
    ],
)
def test_applications_keep_their_files_where_the_system_says(
    platform: str, variables: Mapping[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name, value in {"HOME": str(tmp_path / "home"), **variables}.items():
        monkeypatch.setenv(name, value)
    assert applications_directory(platform) == tmp_path / expected


def test_a_command_is_quoted_and_names_the_state_unless_every_shell_finds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "my programs" / "mailgun-mcp"
    script.parent.mkdir()
    script.touch()
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    quoted = f"'{script}' approvals list"
    assert shell_command("approvals", "list") == quoted
    assert shell_command("approvals", "list", state=tmp_path / ".local" / "state" / "mailgun-mcp") == quoted
    assert shell_command("approvals", "list", state=state_directory()) == f"{quoted} --state {tmp_path}/xdg/mailgun-mcp"
    assert shell_command("approvals", "list", state=Path("/a b")) == f"{quoted} --state '/a b'"


@pytest.mark.parametrize("started", [["-c"], [""], [], ["/no/such/mailgun-mcp"], [__file__]])
def test_a_program_that_is_no_script_is_named_as_a_module(monkeypatch: pytest.MonkeyPatch, started: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", started)
    assert shell_command("approvals", "list") == f"{shlex.quote(sys.executable)} -m mailgun_mcp approvals list"
