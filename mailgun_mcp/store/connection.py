"""A connection to the state as the owners of its tables use it: what SQLite and PostgreSQL have in common.

SQL is written once for both engines: `?` for values, `ON CONFLICT` instead of `INSERT OR`, no `PRAGMA`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Result(Protocol):
    """The result of a statement. A row is indexed by name or number, and `dict(row)` has its names."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the remaining rows."""


class Connection(Protocol):
    """Runs statements, inside the transaction of `Store.writing` or without one."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Result:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run a statement once for each group of values."""


class Sealer(Protocol):
    """Encrypts values for the database with keys that are not in it."""

    def seal(self, value: bytes, name: str) -> bytes:
        """Return the value encrypted. It can only be decrypted under the same name."""

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the value. Raises StateError if it was changed, or encrypted with an unknown key."""

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the value was encrypted with the first key."""
