"""Secrets that were kept from the model, for their owner: in the system's keyring, else in owner-only files.

One small file for each tells what it is; the value is in the file only where no keyring works. No tool reads
these, and no message holds a value.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mailgun_mcp.errors import StateError, UnknownNameError
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
"""Seconds after which a half-written file is that of a process that ended."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A kept secret, without its value unless that is in the file."""

    ref: str
    created: float
    tool: str
    place: str
    account: str
    kept_in: str
    """`keyring` or `file`."""
    value: str | None = field(default=None, repr=False)


class SecretStore:
    """The secrets of the owner of `directory`, which is made, for the owner alone, when it is missing."""

    def __init__(self, directory: Path, keyring: Callable[[], Keyring | None] = find_keyring) -> None:
        self._directory = directory / DIRECTORY
        self._find_keyring = keyring

    def prepare(self) -> None:
        """Make sure that a secret can be kept, before a call that brings one. Raises StateError when it cannot."""
        with self._faults():
            prepare_directory(self._directory.parent)
            prepare_directory(self._directory)
            if not os.access(self._directory, os.W_OK | os.X_OK):
                raise StateError(f"{self._directory} cannot be written to")

    def keep(self, value: str, *, tool: str, place: str, account: str, now: float) -> str:
        """Keep a value and return its reference; the same value of the same place is kept once.

        Raises StateError when it cannot be kept.
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
        """Return all secrets without their values, the oldest first. Raises StateError for one that can't be read."""
        with self._faults():
            stored = [replace(self._read(ref), value=None) for ref in self._references()]
        return tuple(sorted(stored, key=lambda secret: (secret.created, secret.ref)))

    def show(self, ref: str) -> str:
        """Return the value of a secret. Raises StateError when there is none, or its keyring doesn't give it."""
        with self._faults():
            secret = self._read(self._checked(ref))
        value = _value_of(secret, self._find_keyring() if secret.kept_in == "keyring" else None)
        if value is None:
            raise StateError(f"the keyring that holds {ref} does not give it: unlock it, or install the keyring extra")
        return value

    def forget(self, ref: str) -> None:
        """Remove a secret for good. Raises StateError when there is none, or its keyring cannot remove it."""
        with self._faults():
            path = self._path(self._checked(ref))
            # What nobody can read any more can still be removed.
            with suppress(_Damaged):
                if self._read(ref).kept_in == "keyring" and not _forgets(self._find_keyring(), ref):
                    raise _StillKept
            path.unlink()

    def _checked(self, ref: str) -> str:
        references = self._references()
        if ref not in references:
            raise UnknownNameError(
                unknown("secret", ref, references) if references else f"unknown secret {ref!r}: none is kept"
            )
        return ref

    def _references(self) -> tuple[str, ...]:
        if not self._directory.exists():
            return ()
        refuse_others(self._directory)
        return tuple(sorted(path.stem for path in self._directory.glob("*.json") if REFERENCE.fullmatch(path.stem)))

    def _readable(self) -> Iterator[Secret]:
        for ref in self._references():
            # One that is broken must not keep a new one from being kept.
            with suppress(StateError, FileNotFoundError):
                yield self._read(ref)

    def _read(self, ref: str) -> Secret:
        path = self._path(ref)
        refuse_others(path)
        try:
            secret = Secret(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            # Without the cause, which holds what was read.
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
            raise StateError("the keyring does not let go of it: unlock it, or install the keyring extra") from None
        except OSError as error:
            raise StateError(f"the secrets in {self._directory} cannot be used: {error.strerror or error}") from error


class _Damaged(StateError):
    """The file of a secret is not one."""


class _StillKept(Exception):
    """The keyring still has the value."""


def _keeps(keyring: Keyring, ref: str, value: str) -> bool:
    """Keep the value in the keyring and say whether it is really there."""
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
    """Say whether the keyring no longer has the value."""
    if keyring is None:
        return False
    try:
        if keyring.get_password(SERVICE, ref) is not None:
            keyring.delete_password(SERVICE, ref)
        return keyring.get_password(SERVICE, ref) is None
    except Exception:  # noqa: BLE001 - as in `find_keyring`
        return False
