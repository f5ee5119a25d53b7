"""The system's keyring, where the `keyring` package is installed and has one that encrypts."""

from typing import Any, Protocol


class Keyring(Protocol):
    """The part of the `keyring` package that is used."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep a value."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return a value, or None."""

    def delete_password(self, service_name: str, username: str) -> None:
        """Forget a value."""


def find_keyring() -> Keyring | None:
    """Return the system's keyring where the `keyring` package is installed and has one that encrypts, else None."""
    from importlib import import_module

    try:
        keyring: Any = import_module("keyring").get_keyring()
        # Below 1 are those that the package itself does not recommend: plain text, null, none at all.
        links = getattr(keyring, "backends", None) or [keyring]
        return keyring if all(float(link.priority) >= 1 for link in links) else None
    except Exception:  # noqa: BLE001 - a plug-in of the desktop, which may fail with anything: the file is there
        return None
