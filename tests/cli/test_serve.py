"""`serve` starts the transport that the settings name, with garbage collected again."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp import asgi
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.serve import serve
from mailgun_mcp.server import stdio_session
from mailgun_mcp.settings import SettingsError


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    yield
    gc.enable()


@pytest.fixture
def started(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was started: the transport, its options, and whether garbage was collected."""
    started: list[Any] = []
    monkeypatch.setattr(stdio_session, "serve", lambda *_: started.append(("stdio", {}, gc.isenabled())))
    monkeypatch.setattr(asgi, "serve", lambda _, options: started.append(("http", options, gc.isenabled())))
    return started


def test_stdio_is_the_default(started: list[Any]) -> None:
    assert run(["serve", "--simulator"]) == exits.OK
    assert started == [("stdio", {}, True)]


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_without_a_stream_to_its_client_it_does_not_start(
    closed: str, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"sys.{closed}", None)
    with pytest.raises(SettingsError, match="needs stdin and stdout"):
        serve({"simulator": True})
    assert started == []
    serve({"simulator": True, "transport": "http"})
    assert started[0][0] == "http"


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_another_transport_listens_where_the_flags_say(transport: str, started: list[Any]) -> None:
    assert run(["serve", "--simulator", "--transport", transport, "--port", "8123"]) == exits.OK
    ((kind, options, collecting),) = started
    assert (kind, options.transport, options.port, collecting) == ("http", transport, 8123, True)
    assert options.host == "127.0.0.1"


def test_flags_override_the_environment(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUN_MCP_TRANSPORT", "http")
    assert serve({"simulator": True, "transport": "stdio"}) == exits.OK
    assert started[0][0] == "stdio"


def test_bad_settings_start_nothing(started: list[Any]) -> None:
    with pytest.raises(SettingsError, match="no API key"):
        serve({})
    assert started == []
