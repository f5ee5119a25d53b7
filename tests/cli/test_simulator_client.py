"""Control requests: only to this machine, and every refusal says why."""

from collections.abc import Iterator

import pytest

from mailgun_mcp.cli.simulator_client import SimulatorError, request
from mailgun_mcp.settings import SettingsError
from tests.support.processes import simulated

KEY = "key-of-the-tests"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("simulator"), "--key", KEY) as url:
        yield url


@pytest.mark.parametrize("end", ["", "/"])
def test_the_response_of_a_route_is_returned(simulator: str, end: str) -> None:
    assert "mail.example.com" in request(simulator + end, KEY, "GET", "state", None)["domains"]


def test_a_body_is_sent_as_json(simulator: str) -> None:
    assert request(simulator, KEY, "POST", "clock", {"paused": True})["paused"] is True


@pytest.mark.parametrize(
    ("key", "route", "message"),
    [
        ("key-of-others", "state", "need the simulator's API key"),
        (KEY, "nothing", "unknown control route"),
    ],
    ids=["wrong-key", "unknown-route"],
)
def test_a_refusal_is_an_error_with_the_simulator_s_message(simulator: str, key: str, route: str, message: str) -> None:
    with pytest.raises(SimulatorError, match=message):
        request(simulator, key, "GET", route, None)


@pytest.mark.parametrize("url", ["http://example.com", "http://127.0.0.1:0", "file:///etc/passwd", "http://[::1"])
def test_a_url_elsewhere_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(SettingsError, match="is not the URL of a simulator on this machine"):
        request(url, KEY, "GET", "state", None)


def test_a_port_where_nothing_listens_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"no simulator answers at http://127\.0\.0\.1:1 "):
        request("http://127.0.0.1:1", KEY, "GET", "state", None)
