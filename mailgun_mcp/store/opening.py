"""Chooses the engine of the state: SQLite in a directory, or PostgreSQL if a URL is given."""

from pathlib import Path

from mailgun_mcp.store.database import Store
from mailgun_mcp.store.sealing import SealKeys


def open_store(
    directory: Path, url: str | None = None, seal_keys: str | None = None, *, connections: int | None = None
) -> Store:
    """Return the state store. Nothing is opened or created before it is used.

    `seal_keys` is the file of keys that all servers of one PostgreSQL database share. Raises SettingsError.
    """
    if url is None:
        return Store(directory)
    from mailgun_mcp.store.postgresql import CONNECTIONS, PostgresStore
    from mailgun_mcp.store.postgresql_url import check_url

    keys = shared_keys(directory, seal_keys)
    return PostgresStore(directory, check_url(url), keys, connections=connections or CONNECTIONS)


def shared_keys(directory: Path, file: str | None) -> SealKeys:
    """Return the keys that all servers of one state share: those in the file, or a key created in the directory."""
    return SealKeys(Path(file).expanduser() if file else None, directory)
