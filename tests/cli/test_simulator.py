"""`simulator`: the simulator as an HTTP server of its own."""

import os
import re
import signal
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.simulator import _account
from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.state_file import write_account
from mailgun_mcp.simulator.model.clock import ManualClock
from tests.cli.conftest import Command
from tests.support.processes import PATIENCE
from tests.support.simulator_process import simulating, url_in


def test_it_answers_as_soon_as_it_has_told_its_address(tmp_path: Path) -> None:
    with simulating(tmp_path) as (_, greeting):
        answer = httpx.get(f"{url_in(greeting)}/v4/domains", auth=("api", "any"))
        assert (answer.status_code, "items" in answer.json()) == (200, True)


def test_what_it_says_to_try_works(tmp_path: Path, mailgun_mcp: Command) -> None:
    with simulating(tmp_path) as (_, greeting):
        url = url_in(greeting)
        assert greeting[1].split() == ["try", "it:", "curl", "--user", "api:simulator", f"{url}/v4/domains"]
        variables = dict(word.split("=", 1) for word in greeting[2].split() if "=" in word)
        assert variables == {"MAILGUN_API_URL": url, "MAILGUN_API_KEY": "simulator"}
        done = mailgun_mcp("tools", "call", "list_domains", **variables)
        assert (done.returncode, done.stderr) == (exits.OK, "")


def test_with_a_key_no_other_is_let_in(tmp_path: Path) -> None:
    with simulating(tmp_path, "--key", "only this") as (_, greeting):
        url = f"{url_in(greeting)}/v4/domains"
        assert "'api:only this'" in greeting[1]
        assert [httpx.get(url, auth=("api", key)).status_code for key in ("only this", "other")] == [200, 401]


def test_with_a_key_other_machines_may_reach_it_and_its_control_needs_the_key_too(tmp_path: Path) -> None:
    with simulating(tmp_path, "--host", "0.0.0.0", "--key", "k") as (_, greeting):
        url = url_in(greeting)
        assert url.startswith("http://127.0.0.1:")
        for path in ("/v4/domains", "/simulator/state"):
            assert [httpx.get(url + path, auth=("api", key)).status_code for key in ("k", "other")] == [200, 401]


def test_stored_messages_are_at_its_own_address_and_unknown_parameters_pass(tmp_path: Path) -> None:
    with simulating(tmp_path) as (_, greeting):
        url = url_in(greeting)
        events = httpx.get(f"{url}/v3/mail.example.com/events", params={"colour": "red"}, auth=("api", "any"))
        stored = [item["storage"]["url"] for item in events.json()["items"] if "storage" in item]
        assert {address.startswith(f"{url}/") for address in stored} == {True}


def test_mail_of_a_state_file_is_stored_where_the_simulator_is_now(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_account(path, Account(ManualClock(), storage_url="http://127.0.0.1:1"))
    account = _account(None, path, "http://127.0.0.1:8025")
    assert account
    assert account.storage_url == "http://127.0.0.1:8025"


def test_the_urls_of_stored_messages_can_be_those_of_mailgun(tmp_path: Path) -> None:
    with simulating(tmp_path, "--storage-url", "mailgun") as (_, greeting):
        events = httpx.get(f"{url_in(greeting)}/v3/mail.example.com/events", auth=("api", "any"))
        stored = [item["storage"]["url"] for item in events.json()["items"] if "storage" in item]
        assert {address.startswith("https://storage-us-east4.api.mailgun.net/") for address in stored} == {True}


def test_strict_refuses_unknown_parameters(tmp_path: Path) -> None:
    with simulating(tmp_path, "--strict") as (_, greeting):
        answer = httpx.get(f"{url_in(greeting)}/v4/domains", params={"colour": "red"}, auth=("api", "any"))
        assert (answer.status_code, answer.json()) == (400, {"message": "Unknown parameter 'colour'"})


@pytest.mark.parametrize(("flags", "logged"), [((), 1), (("--quiet",), 0)])
def test_requests_are_logged_on_stderr_unless_it_is_to_be_quiet(
    flags: tuple[str, ...], logged: int, tmp_path: Path
) -> None:
    with simulating(tmp_path, *flags) as (process, greeting):
        httpx.get(f"{url_in(greeting)}/v4/domains", auth=("api", "any"))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert (out, len(re.findall(r'"GET /v4/domains HTTP/1.1" 200', err))) == ("", logged)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_key_of_its_certificate_goes_when_it_ends(ending: signal.Signals, tmp_path: Path) -> None:
    with simulating(tmp_path, "--smtp", "0") as (process, _):
        assert process.stdout is not None
        certificate = next(line for line in process.stdout if "certificate:" in line)
        folder = Path(certificate.split()[-1]).parent
        assert (folder / "key.pem").exists()
        process.send_signal(ending)
        process.communicate(timeout=PATIENCE)
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_an_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    with simulating(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in err) == (exits.INTERRUPTED, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "x"], "port: 'x' must be a number from 0 to 65535"),
        (["--port", "-1"], "port: '-1' must be a number from 0 to 65535"),
        (["--port", "65536"], "port: '65536' must be a number from 0 to 65535"),
        (["--host", "0.0.0.0"], "host 0.0.0.0 is not loopback: others could reach it, so choose a key with --key"),
        (["--port", "0", "--key", ""], "--key is empty"),
        (["--port", "0", "--state", "none/a.json"], "state: the directory of none/a.json does not exist"),
        (["--port", "0", "--state", "."], "state: . is a directory"),
        (
            ["--port", "0", "--storage-url", "here"],
            "storage-url: 'here' must be `self`, `mailgun`, or start with http:// or https:// and a host name",
        ),
    ],
)
def test_what_it_cannot_listen_on_is_refused(
    arguments: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulator", *arguments]) == exits.USAGE
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)


@pytest.mark.anyio
async def test_a_fault_inside_it_is_told_on_stderr_without_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    broken: Any = object()
    app = create_app(Catalogue.load(), account=broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", auth=("api", "k")) as client:
        answer = await client.get("/v4/domains")
    out, err = capsys.readouterr()
    assert (answer.status_code, out) == (500, "")
    assert "simulator_failed" in err
    assert "AttributeError" in err
    assert b64encode(b"api:k").decode() not in err
