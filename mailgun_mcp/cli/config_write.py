"""Replaces a user's configuration file completely or not at all, with a backup beside it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.atomic_write import draft_file

MOST_BACKUPS = 50
"""Maximum number of backups to read."""


def read(path: Path) -> str:
    """Return the text of the file, or "" if there is no file. Raises SettingsError if it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"cannot read {path}: it is not UTF-8 text") from error
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {reason_of(error)}") from error


def backups(path: Path) -> Iterator[str]:
    """Yield the texts of the backups made by earlier changes, newest first."""
    target = path.resolve()
    names = (f"{target.name}.bak{'' if number == 1 else number}" for number in range(MOST_BACKUPS, 0, -1))
    for name in names:
        # A backup that cannot be read cannot be restored either.
        with suppress(SettingsError):
            backup = target.with_name(name)
            if backup.is_file():
                yield read(backup)


def replace(path: Path, old: str, new: str, *, private: bool = False) -> Path | None:
    """Replace `old` by `new`, and keep the file's mode and owner. Return the backup, or None for a new file.

    With `private`, only the owner can read the file and its backup afterwards.

    If the path is a symbolic link, its target is written. Raises SettingsError if the file cannot be written, or if its
    text is no longer `old`.
    """
    target = path.resolve()
    try:
        content = new.encode()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            _check_writable(target, path)
        present = target.stat() if target.exists() else None
        mode = present.st_mode & (0o700 if private else 0o7777) if present else 0o600
        with draft_file(target, content, mode=mode) as draft:
            if read(target) != old:
                raise SettingsError(f"another program changed {path} meanwhile. Nothing was written. Try again.")
            if present:
                _keep_owner(draft, present, path)
            backup = _back_up(target, mode, present) if present else None
            draft.replace(target)
    except UnicodeEncodeError as error:
        raise SettingsError(f"cannot write {path}: the text is not valid Unicode") from error
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {reason_of(error)}") from error
    return backup


def _check_writable(target: Path, path: Path) -> None:
    """Refuse a read-only file. Replacing it would succeed, but somebody made it read-only on purpose."""
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        raise SettingsError(
            f"{path} is read-only. Nothing was changed. Make it writable, or use --print and edit it yourself"
        )


def _keep_owner(new: Path, present: os.stat_result, path: Path) -> None:
    """Give a new file the owner of the present one, whom its mode may allow to read it. Only root can."""
    if os.name != "posix" or new.stat().st_uid == present.st_uid:
        return
    try:
        os.chown(new, present.st_uid, present.st_gid)
    except PermissionError as error:
        raise SettingsError(
            f"{path} belongs to another user. Nothing was changed. Run this as that user, "
            "or use --print and edit the file yourself"
        ) from error


def _back_up(target: Path, mode: int, present: os.stat_result) -> Path:
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
        _keep_owner(backup, present, target)
        backup.chmod(mode)
        return backup
