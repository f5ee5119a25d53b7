"""`secrets`: what was withheld from the model, for the person at the terminal."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.call.shared_secret_store import secrets_of
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.store.opening import open_store
from tests.cli.conftest import Command
from tests.support.engines import on_postgresql

VALUE = "key-of-the-tests-0123456789"
NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ref(state: Path) -> str:
    """The reference of a kept secret, whose place came from Mailgun."""
    store = SecretStore(state, lambda: None)
    return store.keep(VALUE, tool="create_smtp_credentials", place="/credentials/a\x1b[2Jb", account="main", now=NOW)


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    code = run(["secrets", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_secrets_are_listed_without_values(
    ref: str, state: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = f"{ref}  2027-01-15T08:00:00+00:00  main  create_smtp_credentials  /credentials/ab  file\n"
    assert ran(["list", "--state", str(state)], capsys) == (exits.OK, row, "")


def test_secrets_are_listed_as_json(ref: str, state: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(["list", "--json", "--state", str(state)], capsys)
    expected = {
        "ref": ref,
        "created": "2027-01-15T08:00:00+00:00",
        "account": "main",
        "tool": "create_smtp_credentials",
        "field": "/credentials/ab",
        "stored_in": "file",
    }
    assert (code, json.loads(out), err) == (exits.OK, [expected], "")


def test_no_secrets_are_said_to_be_none(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = home / ".local" / "state" / "mailgun-mcp"
    assert ran(["list"], capsys) == (exits.OK, f"No secrets in {directory}.\n", "")
    assert ran(["list", "--json"], capsys) == (exits.OK, "[]\n", "")


def test_show_writes_the_value_and_nothing_else(ref: str, state: Path, mailgun_mcp: Command) -> None:
    done = mailgun_mcp("secrets", "show", ref, MAILGUN_MCP_STATE=str(state))
    assert (done.returncode, done.stdout, done.stderr) == (exits.OK, f"{VALUE}\n", "")


def test_a_forgotten_secret_is_gone(ref: str, state: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(["delete", ref, "--state", str(state)], capsys) == (exits.OK, "", f"Deleted: {ref}.\n")
    assert ran(["list", "--state", str(state)], capsys) == (exits.OK, f"No secrets in {state}.\n", "")


@pytest.mark.parametrize("action", ["show", "delete"])
def test_an_unknown_reference_names_the_nearest(
    action: str, ref: str, state: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ran([action, f"{ref}x", "--state", str(state)], capsys)
    said = f"mailgun-mcp: error: unknown secret '{ref}x': did you mean '{ref}'?\nSearched: {state}\n"
    assert (code, out, err) == (exits.USAGE, "", said)


def test_a_store_that_others_may_read_is_refused(
    ref: str, state: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "secrets").chmod(0o755)
    code, out, err = ran(["show", ref, "--state", str(state)], capsys)
    assert (code, out) == (exits.FAILED, "")
    assert "is open to other users" in err


def test_the_word_of_the_previous_release_still_works(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["secrets", "forget", "none"]) == exits.USAGE
    assert "unknown secret 'none'" in capsys.readouterr().err


@on_postgresql
def test_the_key_that_seals_is_changed(
    state_url: str, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("o" * 40, encoding="ascii")
    state = ["--state", str(tmp_path / "state"), "--state-url", state_url, "--seal-keys", str(keys)]
    store = open_store(tmp_path / "state", state_url, str(keys))
    ref = secrets_of(store).keep(VALUE, tool="create_api_key", place="/key", account="main", now=NOW)
    store.close()
    keys.write_text("n" * 40 + "\n" + "o" * 40, encoding="ascii")
    code, out, err = ran(["reseal", *state], capsys)
    assert (code, out, err.splitlines()[0]) == (exits.OK, "", "Sealed again with the first key: 1 of 1 values.")
    keys.write_text("n" * 40, encoding="ascii")
    assert ran(["show", ref, *state], capsys) == (exits.OK, f"{VALUE}\n", "")


def test_a_state_in_files_is_not_sealed(state: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(["reseal", "--state", str(state)], capsys)
    assert code == exits.FAILED
    assert "only a state in PostgreSQL has sealed values" in err
