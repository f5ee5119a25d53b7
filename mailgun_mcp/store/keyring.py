"""The system's keyring, if the `keyring` package is installed and finds one that encrypts."""

from typing import Any, Protocol


class Keyring(Protocol):
    """The used part of the `keyring` package."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Store a value."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return a value, or None."""

    def delete_password(self, service_name: str, username: str) -> None:
        """Delete a value."""


def find_keyring() -> Keyring | None:
    """Return the system's keyring if the `keyring` package is installed and finds one that encrypts, else None."""
    from importlib import import_module

    try:
        keyring: Any = import_module("keyring").get_keyring()
        # Priorities below 1 are those that the package itself advises against: plain text, null, none at all.
        links = getattr(keyring, "backends", None) or [keyring]
        return keyring if all(float(link.priority) >= 1 for link in links) else None
    except Exception:  # noqa: BLE001 - a plug-in of the desktop, which may fail with anything: the file is there
        return None
