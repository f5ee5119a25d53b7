"""The accounts of the configuration file: what may stand there, and where the keys come from."""

import sys
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.app import account_settings as module
from mailgun_mcp.app.account_settings import account_settings
from mailgun_mcp.settings import Settings, SettingsError, load

KEY = "key-0123456789abcdef0123456789abcdef"
FILE = """
log-level = "error"

[accounts.production]
region = "eu"
api-key-env = "PRODUCTION_KEY"
principals = ["*@example.com"]

[accounts.staging]
url = "http://127.0.0.1:9"
api-key-file = "KEY_FILE"
subaccount = "abc"
"""


def loaded(tmp_path: Path, text: str = FILE, **flags: Any) -> Settings:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    path = tmp_path / "mailgun-mcp.toml"
    path.write_text(text.replace("KEY_FILE", str(tmp_path / "key")), encoding="utf-8")
    return load({"config": str(path), **flags}, {})


def test_each_account_has_the_settings_of_a_server_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODUCTION_KEY", KEY + "9")
    settings = loaded(tmp_path)
    production, staging = [account.applied(settings) for account in account_settings(settings)]
    assert (production.account, production.region, production.key()) == ("production", "eu", KEY + "9")
    assert (staging.account, staging.url, staging.subaccount, staging.key()) == (
        "staging",
        "http://127.0.0.1:9",
        "abc",
        KEY,
    )
    assert production.log_level == staging.log_level == "error"


def test_the_flag_chooses_one_account(tmp_path: Path) -> None:
    assert [account.name for account in account_settings(loaded(tmp_path, account="staging"))] == ["staging"]
    with pytest.raises(SettingsError, match="unknown account 'stagging': did you mean 'staging'"):
        account_settings(loaded(tmp_path, account="stagging"))


def test_without_tables_there_is_one_account_and_nothing_to_choose() -> None:
    assert account_settings(Settings(account="us")) == ()


def command(program: str) -> str:
    return f"[accounts.a]\napi-key-command = [{sys.executable!r}, '-c', {program!r}]"


def test_a_command_prints_the_key(tmp_path: Path) -> None:
    settings = loaded(tmp_path, command(f"print('{KEY}'); print('more')"))
    assert account_settings(settings)[0].applied(settings).key() == KEY


def test_a_command_does_not_get_the_key_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUN_API_KEY", KEY)
    settings = loaded(tmp_path, command("import os; print(os.environ.get('MAILGUN_API_KEY', 'none'))"))
    assert account_settings(settings)[0].applied(settings).key() == "none"


class Keyring:
    def __init__(self, answer: str | None) -> None:
        self.answer = answer

    def get_password(self, service: str, name: str) -> str | None:
        if self.answer is None:
            raise RuntimeError(f"{service} {name} is locked")
        return self.answer


def test_the_keyring_of_the_system_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(tmp_path, '[accounts.a]\napi-key-keyring = "mail/gun/production"')
    (account,) = account_settings(settings)
    monkeypatch.setattr(module, "find_keyring", lambda: Keyring(KEY))
    assert account.applied(settings).key() == KEY
    for keyring, fault in (
        (Keyring(None), "the keyring cannot be read: mail/gun production is locked"),
        (Keyring(""), "mail/gun/production in the keyring has no API key"),
        (None, r"pip install 'mailgun-mcp-server\[keyring\]'"),
    ):
        monkeypatch.setattr(module, "find_keyring", lambda keyring=keyring: keyring)
        with pytest.raises(SettingsError, match=fault):
            account.applied(settings)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("accounts = 1", "accounts must be tables", id="no-tables"),
        pytest.param("[accounts]\na = 1", r"accounts.a must be a table: \[accounts.a\]", id="no-table"),
        pytest.param('[accounts."a b"]', "'a b' is not the name of an account", id="name"),
        pytest.param(
            "[accounts.a]", "give one of api_key_file, api_key_env, api_key_keyring, api_key_command", id="none"
        ),
        pytest.param(
            '[accounts.a]\napi_key_env = "A"\napi_key_file = "b"',
            "give one of api_key_file, api_key_env",
            id="two-keys",
        ),
        pytest.param('[accounts.a]\napi_key = "A"', "unknown key 'api_key'.*; give one of api_key_file", id="plain"),
        pytest.param('[accounts.a]\nregoin = "eu"', "unknown key 'regoin': did you mean 'region'", id="typo"),
        pytest.param('[accounts.a]\nregion = 1\napi_key_env = "A"', "region must be text", id="type"),
        pytest.param('[accounts.a]\nprincipals = "ann"\napi_key_env = "A"', "principals must be a list", id="list"),
        pytest.param(
            '[accounts.a]\nregion = "eu"\nurl = "https://x.example"\napi_key_env = "A"',
            "give one of region, hostname and url",
            id="places",
        ),
        pytest.param(
            'region = "eu"\n[accounts.a]\napi_key_env = "A"', "region is set, and .* several accounts", id="top"
        ),
        pytest.param('[accounts.a]\napi_key_keyring = "A"', "api_key_keyring must be SERVICE/NAME", id="keyring"),
        pytest.param('[accounts.a]\napi_key_env = "NO_SUCH"', "the variable NO_SUCH has no API key", id="unset"),
        pytest.param('[accounts.a]\napi_key_file = "/no"', "^accounts.a: the file of the API key, /no", id="no-file"),
        pytest.param('[accounts.a]\nregion = "mars"\napi_key_env = "HOME"', "^accounts.a: unknown region", id="region"),
        pytest.param(
            '[accounts.a]\nurl = "http://x.example"\napi_key_env = "HOME"', "^accounts.a: plain http", id="url"
        ),
        pytest.param(command("import sys; sys.exit(3)"), "ended with code 3", id="failing-command"),
        pytest.param("[accounts.a]\napi_key_command = '/nowhere/x y'", "the command cannot be run", id="no-command"),
    ],
)
def test_what_is_wrong_stops_the_start_and_is_named(text: str, fault: str, tmp_path: Path) -> None:
    def start() -> None:
        settings = loaded(tmp_path, text)
        for account in account_settings(settings):
            account.applied(settings)

    with pytest.raises(SettingsError, match=fault):
        start()


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND_TIMEOUT", 0.05)
    settings = loaded(tmp_path, command("import signal; signal.pause()"))
    with pytest.raises(SettingsError, match="did not end within"):
        account_settings(settings)[0].applied(settings)


def test_what_a_command_prints_shows_in_no_error(tmp_path: Path) -> None:
    settings = loaded(tmp_path, command(f"import sys; print('{KEY}'); print('{KEY}', file=sys.stderr); sys.exit(1)"))
    with pytest.raises(SettingsError) as caught:
        account_settings(settings)[0].applied(settings)
    assert KEY not in str(caught.value)


def test_with_the_simulator_no_key_is_needed(tmp_path: Path) -> None:
    settings = loaded(tmp_path, simulator=True)
    assert [account.applied(settings).api_key for account in account_settings(settings)] == [
        "simulator-production",
        "simulator-staging",
    ]
