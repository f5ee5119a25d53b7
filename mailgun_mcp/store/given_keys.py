"""Encryption keys that the operator supplies, in the environment or a file. They are never stored beside the data.

The first key encrypts, and all of them decrypt, so that a key can be replaced while servers run.
"""

from pathlib import Path

from mailgun_mcp.errors import SettingsError, StateError, reason_of
from mailgun_mcp.store.sealing import SHORTEST, SealKeys


class GivenKeys(SealKeys):
    """Keys from an environment variable or a file, one per line. In a variable, spaces and commas separate them too."""

    def __init__(self, option: str, text: str | None, file: str | None) -> None:
        """`option` is their name in messages. Raises SettingsError if they cannot be used."""
        self._option = option
        path = Path(file).expanduser() if file else None
        super().__init__(path, Path())
        # Read at the start, so that a server that could not decrypt its data does not start.
        self._given = _keys(option, text if path is None else _read(option, path))

    @property
    def values(self) -> tuple[str, ...]:
        """The keys themselves, so that logs can leave them out."""
        return self._given

    @property
    def _secrets(self) -> list[str]:  # read at the start, not at the first use
        return list(self._given)

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the value. Raises StateError if it was changed, or encrypted with a key that was not supplied."""
        if sealed[:4] not in self._at_rest:
            raise StateError(
                f"{name} was encrypted with a key that is not in {self._option}: add that key after the first"
            )
        return super().unseal(sealed, name)


def _read(option: str, path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{option}: cannot read {path}: {reason_of(error)}") from error
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _keys(option: str, text: str | None) -> tuple[str, ...]:
    keys = tuple((text or "").replace(",", " ").split())
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST:
            raise SettingsError(
                f"{option}: key {number} is shorter than {SHORTEST} characters: make one with `openssl rand -hex 32`"
            )
    if not keys:
        raise SettingsError(f"{option}: there is no key: make one with `openssl rand -hex 32`")
    return keys
