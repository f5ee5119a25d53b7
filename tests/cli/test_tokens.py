"""The operator makes, lists and revokes tokens on the command line."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.identity.tokens import TOKEN, Tokens
from mailgun_mcp.store.database import Store


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / ".local" / "state" / "mailgun-mcp")


def ran(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(["tokens", *words])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_a_token_is_shown_once_and_recorded(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--scopes", "read,mailgun:send", "--domains", "*.example.com", "--expires", "90d"]
    code, out, err = ran(["new", "ci", *flags], capsys)
    assert (code, bool(TOKEN.fullmatch(out.strip()))) == (exits.OK, True)
    assert "not shown again" in err
    secret = out.strip()[-43:]
    _, listed, _ = ran(["list", "--json"], capsys)
    (token,) = json.loads(listed)
    assert (token["scopes"], token["domains"], token["accounts"]) == (
        ["mailgun:read", "mailgun:send"],
        ["*.example.com"],
        None,
    )
    (call,) = AuditLog(store).calls()
    assert (call.fields["tool"], call.fields["principal"]) == ("tokens new", login_user().id)
    assert call.fields["arguments"]["scopes"] == ["mailgun:read", "mailgun:send"]
    assert secret not in listed + json.dumps(call.fields) + err
    assert AuditLog(store).verify().broken is None


def test_a_revoked_token_is_listed_as_such_and_recorded(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    ran(["new", "ci", "--scopes", "read"], capsys)
    assert ran(["revoke", "ci"], capsys)[:2] == (exits.OK, "Revoked: ci. Its next call is refused.\n")
    _, out, _ = ran(["list"], capsys)
    assert " ".join(out.split()) == "ci revoked mailgun:read does not expire never used"
    assert [call.fields["tool"] for call in AuditLog(store).calls()] == ["tokens new", "tokens revoke"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["new", "ci", "--scopes", "reads"], "unknown scope 'mailgun:reads'"),
        (["new", "ci", "--scopes", ","], "scopes: name at least one"),
        (["new", "ci", "--scopes", "read", "--domains", ""], "domains: name at least one"),
        (["new", "ci", "--scopes", "read", "--expires", "soon"], "expires: 'soon' is not a duration"),
        (["revoke", "ci"], "unknown token 'ci'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], message: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ran(words, capsys)
    assert (code, message in err, Tokens(store).list()) == (exits.USAGE, True, ())


def test_without_tokens_the_list_says_how_to_make_one(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(["list"], capsys)[1].startswith("No tokens. `mailgun-mcp tokens new")
    assert not store.exists


def test_a_token_that_relays_may_approve_and_is_listed_as_such(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ran(["new", "bot", "--scopes", "read", "--relay"], capsys)
    assert (code, "relay: the token needs the scope approve too" in err) == (exits.USAGE, True)
    code, out, _ = ran(["new", "bot", "--scopes", "approve", "--relay"], capsys)
    found = Tokens(store).find(out.strip(), 0.0)
    assert found is not None
    assert (code, found.access.relay) == (exits.OK, True)
    assert "relays for people" in ran(["list"], capsys)[1]


def test_an_account_that_is_not_there_is_warned_of_and_the_token_is_made(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "mailgun-mcp.toml"
    config.write_text('[accounts.staging]\nregion = "eu"\napi_key_env = "KEY"\n', encoding="utf-8")
    flags = ["--scopes", "read", "--config", str(config)]
    code, out, err = ran(["new", "ci", *flags, "--accounts", "stagin,staging"], capsys)
    assert (code, bool(TOKEN.fullmatch(out.strip()))) == (exits.OK, True)
    assert err.count("Warning") == 1
    assert "unknown account 'stagin': did you mean 'staging'?" in err
    assert "Warning" not in ran(["new", "ci-2", *flags, "--accounts", "staging"], capsys)[2]
