"""The operator lists, accepts and renames accounts on the command line."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.errors import AccountError
from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.database import Store
from tests.support.state import NOW

US = "https://api.mailgun.net"


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / ".local" / "state" / "mailgun-mcp")


def used(store: Store, fingerprint: str, name: str | None = None) -> None:
    Accounts(store).open(KeyInUse(US, "us", fingerprint * 8, name, default_name="us"), NOW)


def ran(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(["accounts", *words])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_accounts_are_listed_with_the_beginning_of_each_fingerprint(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(["list"], capsys) == (
        exits.OK,
        f"No accounts in {store.directory}. A server adds its own at its first call.\n",
        "",
    )
    assert not store.exists
    used(store, "aaaa", "production")
    with pytest.raises(AccountError):
        used(store, "bbbb", "production")
    _, out, _ = ran(["list"], capsys)
    since = "since 2027-01-15T08:00:00Z"
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        f"production key aaaaaaaa {US} {since}",
        f"production key bbbbbbbb {US} {since} waits",
        "A key is waiting for production. Accept it with: "
        + shell_command("accounts", "accept", "production", state=store.directory),
    ]
    _, out, _ = ran(["list", "--json"], capsys)
    (record,) = json.loads(out)
    assert (record["name"], [key["fingerprint"] for key in record["waiting"]]) == ("production", ["bbbb" * 8])


def test_configured_accounts_that_were_never_used_are_listed_too(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "mailgun-mcp.toml"
    tables = [f'[accounts.{name}]\napi_key_env = "KEY_OF_NOBODY"' for name in ("production", "staging")]
    file.write_text("\n".join(tables), encoding="utf-8")
    monkeypatch.setenv("MAILGUN_MCP_CONFIG", str(file))
    assert ran(["list"], capsys)[1].split() == ["production", "never", "used", "staging", "never", "used"]
    used(store, "aaaa", "production")
    assert [line.split()[:2] for line in ran(["list"], capsys)[1].splitlines()] == [
        ["production", "key"],
        ["staging", "never"],
    ]
    records = json.loads(ran(["list", "--json"], capsys)[1])
    assert [(record["name"], len(record["keys"])) for record in records] == [("production", 1), ("staging", 0)]
    monkeypatch.delenv("MAILGUN_MCP_CONFIG")
    monkeypatch.setenv("MAILGUN_MCP_ACCOUNT", "elsewhere")
    assert ran(["list"], capsys)[1].splitlines()[-1].split() == ["elsewhere", "never", "used"]


def test_a_key_that_waits_is_accepted(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "aaaa", "production")
    with pytest.raises(AccountError):
        used(store, "bbbb", "production")
    code, out, _ = ran(["accept", "production", "--key", "bb"], capsys)
    assert (code, out) == (exits.OK, f"Accepted: the key bbbbbbbb at {US} opens production.\n")
    used(store, "bbbb", "production")


def test_one_account_becomes_part_of_another(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "aaaa")
    used(store, "bbbb")
    code, out, _ = ran(["accept", "us", "--from", "us-2"], capsys)
    assert (code, out.startswith("us-2 is now us: the key bbbbbbbb at ")) == (exits.OK, True)
    assert [account.name for account in Accounts(store).list()] == ["us"]


def test_an_account_is_renamed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "aaaa")
    assert ran(["rename", "us", "production"], capsys)[0] == exits.OK
    assert [account.name for account in Accounts(store).list()] == ["production"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["accept", "us"], exits.FAILED, "no API key is waiting to be accepted for the account us"),
        (["accept", "uss"], exits.USAGE, "did you mean 'us'"),
        (["accept", "us", "--from", "x"], exits.USAGE, "unknown account 'x'"),
        (["accept", "us", "--from", "x", "--key", "a"], exits.USAGE, "exclude each other"),
        (["rename", "us", "a b"], exits.FAILED, "'a b' is not the name of an account"),
    ],
)
def test_what_cannot_be_done_says_why(
    store: Store, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    used(store, "aaaa")
    actual, _, err = ran(words, capsys)
    assert (actual, message in err) == (code, True)


def test_before_the_first_call_there_is_no_account(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(["rename", "us", "production"], capsys)
    assert (code, "no server has used this state yet" in err) == (exits.USAGE, True)
    assert not store.exists
