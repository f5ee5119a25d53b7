"""Writes a configuration file of the person's: whole or not at all, with a backup beside it."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mailgun_mcp.settings import SettingsError


def read(path: Path) -> str:
    """Return the text of the file, empty when there is none. Raises SettingsError when it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def replace(path: Path, old: str, new: str) -> Path | None:
    """Write `new` in place of `old`, keep the file's mode, and return the backup, None for a new file.

    A link stays one: what it leads to is written. Raises SettingsError when it cannot be written, or
    is no longer `old`.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
        draft = _draft(target, new, mode)
        try:
            if read(target) != old:
                raise SettingsError(f"{path} was changed by another program meanwhile; nothing was written, try again")
            backup = None if mode is None else _back_up(target, mode)
            draft.replace(target)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except (OSError, UnicodeEncodeError) as error:
        raise SettingsError(f"{path} cannot be written: {error}") from error
    return backup


def _draft(target: Path, text: str, mode: int | None) -> Path:
    content = text.encode()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        Path(name).chmod(mode)
    return Path(name)


def _back_up(target: Path, mode: int) -> Path:
    content = target.read_bytes()
    number = 1
    while True:
        backup = target.with_name(f"{target.name}.bak{'' if number == 1 else number}")
        try:
            handle = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        backup.chmod(mode)
        return backup
