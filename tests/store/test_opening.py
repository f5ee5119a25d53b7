"""The settings choose the engine of the state."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import Settings, load
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from mailgun_mcp.store.postgresql import PostgresStore

URL = "postgresql://ann:secret@127.0.0.1:1/mail"


def test_without_a_url_it_is_sqlite(tmp_path: Path) -> None:
    assert type(open_store(tmp_path)) is Store


def test_with_a_url_it_is_postgresql_and_the_password_is_not_shown(tmp_path: Path) -> None:
    store = open_store(tmp_path, URL)
    assert isinstance(store, PostgresStore)
    assert (store.name, store.command_directory) == ("postgresql://127.0.0.1:1/mail", None)
    settings = load({}, {"MAILGUN_MCP_STATE_URL": URL, "MAILGUN_MCP_SEAL_KEYS": "keys"})
    assert (settings.state_url, settings.seal_keys) == (URL, "keys")
    assert "ann:secret" not in repr(settings)


def test_a_server_counts_time_as_its_database_does(tmp_path: Path) -> None:
    services = create_services(Settings(simulator=True, state=str(tmp_path), state_url=URL))
    assert services.clock == services.store.clock
    services.close()


def test_without_the_extra_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    present = builtins.__import__

    def without_psycopg(name: str, *arguments: Any) -> Any:
        if name.startswith("psycopg"):
            raise ImportError(name)
        return present(name, *arguments)

    store = open_store(tmp_path, URL)
    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    with pytest.raises(SettingsError, match=r"extra `postgres`: pip install 'mailgun-mcp-server\[postgres\]'"):
        store.reading().__enter__()
