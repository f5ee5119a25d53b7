"""Secrets withheld from the model, for their owner: in the system's keyring, else in owner-only files.

Each secret has a small file that describes it; the file holds the value only if no keyring works. No tool reads
these files, and no message contains a value.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mailgun_mcp.errors import StateError, UnknownNameError, reason_of
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.database import prepare_directory, refuse_others
from mailgun_mcp.store.ids import ALPHABET, new_id
from mailgun_mcp.store.keyring import Keyring, find_keyring
from mailgun_mcp.text.atomic_write import SUFFIX, write_file
from mailgun_mcp.text.suggest import unknown

DIRECTORY = "secrets"
SERVICE = "mailgun-mcp"
REFERENCE = re.compile(f"[{ALPHABET}]{{10}}")
ABANDONED = 3_600.0
"""Age in seconds from which a half-written file was left by a process that has ended."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A stored secret, without its value unless that is in the file."""

    ref: str
    created: float
    tool: str
    place: str
    account: str
    kept_in: str
    """`keyring` or `file`."""
    value: str | None = field(default=None, repr=False)


class SecretStore:
    """The secrets of the owner of `directory`. If it is missing, it is created for the owner alone."""

    def __init__(self, directory: Path, keyring: Callable[[], Keyring | None] = find_keyring) -> None:
        self._directory = directory / DIRECTORY
        self._find_keyring = keyring

    def prepare(self) -> None:
        """Make sure that a secret can be stored, before a call that returns one. Raises StateError if it cannot."""
        with self._faults():
            prepare_directory(self._directory.parent)
            prepare_directory(self._directory)
            if not os.access(self._directory, os.W_OK | os.X_OK):
                raise StateError(f"{self._directory} cannot be written to")

    def keep(self, value: str, *, tool: str, place: str, account: str, now: float) -> str:
        """Store a value and return its reference. The same value of the same place is stored only once.

        Raises StateError if it cannot be stored.
        """
        self.prepare()
        keyring = self._find_keyring()
        with self._faults():
            self._sweep(now)
            for secret in self._readable():
                same = (secret.tool, secret.place, secret.account) == (tool, place, account)
                if same and _value_of(secret, keyring) == value:
                    return secret.ref
            secret = Secret(self._new_reference(), now, tool, place, account, "file", value)
            if keyring and _keeps(keyring, secret.ref, value):
                secret = replace(secret, kept_in="keyring", value=None)
            self._write(secret)
        return secret.ref

    def list(self) -> tuple[Secret, ...]:
        """Return all secrets without their values, oldest first. Raises StateError for one that can't be read."""
        with self._faults():
            stored = [replace(self._read(ref), value=None) for ref in self._references()]
        return tuple(sorted(stored, key=lambda secret: (secret.created, secret.ref)))

    def show(self, ref: str) -> str:
        """Return the value of a secret. Raises StateError if there is none, or its keyring doesn't return it."""
        with self._faults():
            secret = self._read(self._checked(ref))
        value = _value_of(secret, self._find_keyring() if secret.kept_in == "keyring" else None)
        if value is None:
            raise StateError(
                f"{ref} could not be read from the keyring: unlock the keyring, or install the keyring extra"
            )
        return value

    def forget(self, ref: str) -> None:
        """Delete a secret permanently. Raises StateError if there is none, or its keyring cannot delete it."""
        with self._faults():
            path = self._path(self._checked(ref))
            # A secret that can no longer be read can still be removed.
            with suppress(_Damaged):
                if self._read(ref).kept_in == "keyring" and not _forgets(self._find_keyring(), ref):
                    raise _StillKept
            path.unlink()

    def _checked(self, ref: str) -> str:
        references = self._references()
        if ref not in references:
            raise UnknownNameError(
                unknown("secret", ref, references) if references else f"unknown secret {ref!r}: no secrets are stored"
            )
        return ref

    def _references(self) -> tuple[str, ...]:
        if not self._directory.exists():
            return ()
        refuse_others(self._directory)
        return tuple(sorted(path.stem for path in self._directory.glob("*.json") if REFERENCE.fullmatch(path.stem)))

    def _readable(self) -> Iterator[Secret]:
        for ref in self._references():
            # A damaged secret must not prevent a new one from being stored.
            with suppress(StateError, FileNotFoundError):
                yield self._read(ref)

    def _read(self, ref: str) -> Secret:
        path = self._path(ref)
        refuse_others(path)
        try:
            secret = Secret(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            # The cause is left out because it contains what was read.
            raise _Damaged(f"{path} is damaged: `{self._forget_command(ref)}` removes it") from None
        if secret.ref != ref:
            raise _Damaged(f"{path} belongs to another secret: `{self._forget_command(ref)}` removes it")
        return secret

    def _write(self, secret: Secret) -> None:
        write_file(self._path(secret.ref), json.dumps(asdict(secret)).encode())

    def _sweep(self, now: float) -> None:
        for path in self._directory.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < now - ABANDONED:
                    path.unlink()

    def _new_reference(self) -> str:
        while self._path(ref := new_id(10)).exists():
            pass
        return ref

    def _forget_command(self, ref: str) -> str:
        return shell_command("secrets", "delete", ref, state=self._directory.parent)

    def _path(self, ref: str) -> Path:
        return self._directory / f"{ref}.json"

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except _StillKept:
            raise StateError(
                "it could not be deleted from the keyring: unlock the keyring, or install the keyring extra"
            ) from None
        except OSError as error:
            raise StateError(f"the secrets in {self._directory} cannot be used: {reason_of(error)}") from error


class _Damaged(StateError):
    """The file of a secret is damaged."""


class _StillKept(Exception):
    """The keyring still has the value."""


def _keeps(keyring: Keyring, ref: str, value: str) -> bool:
    """Store the value in the keyring and return whether it is really there."""
    try:
        keyring.set_password(SERVICE, ref, value)
        return keyring.get_password(SERVICE, ref) == value
    except Exception:  # noqa: BLE001 - as in `find_keyring`
        return False


def _value_of(secret: Secret, keyring: Keyring | None) -> str | None:
    if secret.kept_in == "file":
        return secret.value
    try:
        return keyring.get_password(SERVICE, secret.ref) if keyring else None
    except Exception:  # noqa: BLE001 - as in `find_keyring`
        return None


def _forgets(keyring: Keyring | None, ref: str) -> bool:
    """Remove the value from the keyring and return whether it is gone."""
    if keyring is None:
        return False
    try:
        if keyring.get_password(SERVICE, ref) is not None:
            keyring.delete_password(SERVICE, ref)
        return keyring.get_password(SERVICE, ref) is None
    except Exception:  # noqa: BLE001 - as in `find_keyring`
        return False
