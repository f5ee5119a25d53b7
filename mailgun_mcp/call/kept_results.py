"""Long results in the state, so that a restarted server, or another one that shares it, can return the rest of them.

They hold what a call returned, including third-party text. They are kept for an hour, compressed, and encrypted if
servers share a database. The number for each principal and the total size are limited.
"""

import zlib
from collections.abc import Sequence

from mailgun_mcp.call.results import KEPT_SECONDS, MOST_RESULTS, KeptResult, Owner
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store

LOCK = "kept results"
MOST_BYTES = 64 * 1024 * 1024
"""Limit on the total size of all results, compressed, in bytes. The oldest are removed first."""


class KeptResults:
    """The table of long results."""

    def __init__(self, store: Store, *, most_results: int = MOST_RESULTS, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most_results = most_results
        self._most_bytes = most_bytes

    def save(self, results: Sequence[KeptResult], now: float) -> None:
        """Save results. If the state cannot be written, only this server can return the rest of them."""
        rows = [(result, self._packed(result)) for result in results]
        try:
            with self._store.writing(durable=False, lock=LOCK) as connection:
                for result, data in rows:
                    connection.execute(
                        """INSERT INTO kept_results (name, principal, account, boundary, data, size, created)
                        VALUES (?, ?, ?, ?, ?, ?, ?)""",
                        (
                            result.name,
                            result.owner.principal,
                            result.owner.account,
                            result.boundary,
                            data,
                            len(data),
                            now,
                        ),
                    )
                self._shorten(connection, {result.owner.principal for result in results}, now)
        except StateError as error:
            logger().warning("a long result was not saved", reason=str(error))

    def find(self, name: str, now: float) -> KeptResult | None:
        """Return a result, or None if there is none, it has expired, or it cannot be decrypted."""
        try:
            if not self._store.exists:
                return None
            with self._store.reading() as connection:
                row = connection.execute(
                    "SELECT principal, account, boundary, data FROM kept_results WHERE name = ? AND created > ?",
                    (name, now - KEPT_SECONDS),
                ).fetchone()
            if row is None:
                return None
            text = self._unpacked(name, bytes(row["data"]))
        except (StateError, zlib.error, UnicodeDecodeError) as error:
            logger().warning("a long result cannot be read", reason=str(error))
            return None
        return KeptResult(name, text, Owner(row["principal"], row["account"]), row["boundary"])

    def _shorten(self, connection: Connection, principals: set[str], now: float) -> None:
        connection.execute("DELETE FROM kept_results WHERE created <= ?", (now - KEPT_SECONDS,))
        for principal in principals:
            connection.execute(
                """DELETE FROM kept_results WHERE principal = ? AND name NOT IN (
                SELECT name FROM kept_results WHERE principal = ? ORDER BY created DESC, name LIMIT ?)""",
                (principal, principal, self._most_results),
            )
        row = connection.execute("SELECT sum(size) AS bytes FROM kept_results").fetchone()
        if (row["bytes"] or 0) > self._most_bytes:
            connection.execute(
                """DELETE FROM kept_results WHERE name IN (SELECT name FROM (
                SELECT name, sum(size) OVER (ORDER BY created DESC, name) AS bytes FROM kept_results
                ) AS newest WHERE bytes > ?)""",
                (self._most_bytes,),
            )

    def _packed(self, result: KeptResult) -> bytes:
        data = zlib.compress(result.text.encode("utf-8", "surrogatepass"), 1)
        return data if self._store.sealer is None else self._store.sealer.seal(data, _sealed_as(result.name))

    def _unpacked(self, name: str, data: bytes) -> str:
        if self._store.sealer is not None:
            data = self._store.sealer.unseal(data, _sealed_as(name))
        return zlib.decompress(data).decode("utf-8", "surrogatepass")


def _sealed_as(name: str) -> str:
    return f"the result {name}"
