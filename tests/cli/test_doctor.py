"""`doctor` as a whole: which checks are made, in which order, and what it exits with."""

import json
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from mailgun_mcp.cli import doctor, exits
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.settings import Settings
from tests.cli.conftest import Command, settling
from tests.support.upstream import Upstream, replies, resets, says, serve_upstream

KEY = "key-0123456789abcdef0123456789abcdef"
BASIS = ["mailgun-mcp", "python", "settings", "tools", "key", "region"]
DOMAINS = {"items": [], "total_count": 2}
NOW = 1_800_000_000.0

pytestmark = pytest.mark.anyio


async def examined(upstream: Upstream, **given: Any) -> dict[str, tuple[str, str]]:
    """Return state and text of each check against the stub."""

    def examine() -> dict[str, tuple[str, str]]:
        found = doctor.examine({"api_key": KEY, "url": upstream.url, **given}, lambda: NOW)
        assert [check.name for check in found if KEY in repr(check)] == []
        return {check.name: (check.state, check.text) for check in found}

    return await anyio.to_thread.run_sync(examine)


async def test_a_working_account_passes_every_check(home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        dated = [("Date", formatdate(NOW, usegmt=True))]
        upstream.then(says(DOMAINS, headers=dated), *(says({"items": []}) for _ in range(4)))
        found = await examined(upstream)
    assert list(found) == [*BASIS, "network", "login", "permissions", "clock"]
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["clock"][1] == "within 60 s of Mailgun's"
    assert upstream.lines == [
        "GET /v4/domains?limit=1",
        "GET /v1/keys",
        "GET /v5/accounts/subaccounts?limit=1",
        "GET /v3/ips",
        "GET /v2/ip_whitelist",
    ]


async def test_a_lesser_key_is_told_what_it_may_not(home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        forbidden = replies(403, b"Forbidden")
        upstream.then(says(DOMAINS), forbidden, replies(401, b"Forbidden"), says({"items": []}), replies(500))
        found = await examined(upstream)
    assert found["permissions"] == (
        "warning",
        "to read, allowed: domains, IPs; forbidden: API keys, subaccounts; unknown: IP allowlist (HTTP 500)",
    )


async def test_a_key_that_may_not_list_domains_is_still_asked_for_the_rest(home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        found = await examined(upstream.then(replies(403, b"Forbidden")))
    assert (found["login"][0], len(upstream.lines)) == ("warning", 5)


@pytest.mark.parametrize("answer", [replies(401, b"Forbidden"), replies(503), resets], ids=["401", "503", "reset"])
async def test_after_a_failed_login_nothing_more_is_asked(answer: Any, home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        found = await examined(upstream.then(answer))
    assert list(found) == [*BASIS, "network", "login"]
    assert (found["login"][0], upstream.lines) == ("failure", ["GET /v4/domains?limit=1"])


async def test_a_clock_that_is_off_is_a_warning(home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        dated = [("Date", formatdate(NOW - 90, usegmt=True))]
        upstream.then(says(DOMAINS, headers=dated))
        assert (await examined(upstream))["clock"] == ("warning", "90 s ahead of Mailgun's")


async def test_a_subaccount_is_acted_in(home: Path) -> None:
    async with serve_upstream() as upstream, settling():
        await examined(upstream, subaccount="abc123")
    assert {request.headers["x-mailgun-on-behalf-of"] for request in upstream.received} == {"abc123"}


@pytest.mark.parametrize(
    ("given", "names", "failed"),
    [
        pytest.param({"port": "x"}, [*BASIS[:2], "settings"], "settings", id="settings"),
        pytest.param({"toolsets": "mesages"}, [*BASIS, "network"], "tools", id="tools"),
        pytest.param({"api_key": "pubkey-1"}, [*BASIS, "network"], "key", id="key"),
        pytest.param({"region": "us"}, BASIS, "region", id="region"),
        pytest.param({"files": "/nowhere"}, [*BASIS, "network", "settings"], "settings", id="files"),
    ],
)
async def test_checks_that_rest_on_a_failed_one_are_left_out(
    given: dict[str, Any], names: list[str], failed: str, home: Path
) -> None:
    async with serve_upstream() as upstream, settling():
        found = await anyio.to_thread.run_sync(doctor.examine, {"api_key": KEY, "url": upstream.url, **given})
    assert [check.name for check in found] == names
    assert [check.name for check in found if check.state == "failure"] == [failed]
    assert upstream.received == []


def regions(answers: dict[str, httpx.Response]) -> tuple[Callable[[Settings], Client], list[str]]:
    """Return what makes clients whose regions answer so, and the hosts asked."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return answers[request.url.host]

    def client_of(settings: Settings) -> Client:
        endpoint = resolve(region=settings.region, hostname=settings.hostname, url=settings.url)
        return Client(endpoint, KEY, user_agent="tests", connect=lambda: httpx.MockTransport(handle))

    return client_of, asked


@pytest.mark.parametrize(
    ("region", "other", "answer", "said"),
    [
        pytest.param("us", "eu", httpx.Response(200, json=DOMAINS), "the EU region accepts this key", id="taken"),
        pytest.param("eu", "us", httpx.Response(200, json=DOMAINS), "the US region accepts this key", id="taken-in-us"),
        pytest.param("us", "eu", httpx.Response(401), "does not accept it either", id="refused-too"),
        pytest.param("us", "eu", httpx.Response(500), "HTTP 401", id="no-clear-answer"),
    ],
)
async def test_a_refused_key_is_tried_in_the_other_region(
    region: str, other: str, answer: httpx.Response, said: str
) -> None:
    hosts = {"us": "api.mailgun.net", "eu": "api.eu.mailgun.net"}
    client_of, asked = regions({hosts[region]: httpx.Response(401), hosts[other]: answer})
    (login,) = await doctor.account(Settings(region=region), lambda: NOW, client_of)
    assert (login.state, asked) == ("failure", [hosts[region], hosts[other]])
    assert said in login.text


async def test_a_host_of_the_operators_own_has_no_other_region() -> None:
    client_of, asked = regions({"mail.example.com": httpx.Response(401)})
    (login,) = await doctor.account(Settings(hostname="mail.example.com"), lambda: NOW, client_of)
    assert (login.state, asked) == ("failure", ["mail.example.com"])


async def test_with_the_simulator_everything_passes(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("doctor", "--simulator")
    names = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert names == [*BASIS, "login", "permissions", "clock"]
    assert not [line for line in done.stdout.splitlines() if line.startswith(("warning", "failure"))]


async def test_a_failure_has_its_exit_code_and_what_to_do(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("doctor", "--policy", "gaurded")
    assert (done.returncode, done.stderr) == (exits.FAILED, "")
    assert "failure  settings     unknown policy 'gaurded': did you mean 'guarded'?" in done.stdout
    assert "-> Correct this first; everything else depends on it." in done.stdout


async def test_programs_read_the_same_as_json(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("doctor", "--simulator", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (exits.OK, True)
    assert {tuple(check) for check in report["checks"]} == {("name", "state", "text", "step")}
    assert [check["name"] for check in report["checks"]] == [*BASIS, "login", "permissions", "clock"]


async def test_each_account_of_the_file_is_checked(tmp_path: Path, home: Path) -> None:
    async with serve_upstream() as first, serve_upstream() as second, settling():
        file = tmp_path / "mailgun-mcp.toml"
        file.write_text(
            f'[accounts.production]\nurl = "{first.url}"\napi_key_env = "PRODUCTION_KEY"\n'
            f'[accounts.staging]\nurl = "{second.url}"\napi_key_env = "NO_SUCH"\n',
            encoding="utf-8",
        )
        first.then(says(DOMAINS), *(says({"items": []}) for _ in range(4)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PRODUCTION_KEY", KEY)
            found = await anyio.to_thread.run_sync(doctor.examine, {"config": str(file)})
            one = await anyio.to_thread.run_sync(doctor.examine, {"config": str(file), "account": "stagin"})
    states = {check.name: check.state for check in found}
    assert (states["production: login"], states["staging: key"]) == ("ok", "failure")
    assert "staging: login" not in states
    assert (one[-1].name, "did you mean 'staging'" in one[-1].text) == ("accounts", True)
    assert second.received == []
