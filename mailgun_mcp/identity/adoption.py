"""Hands over what is stored for one account to another, after an upgrade or if one key replaces another."""

from mailgun_mcp.identity.principal import FORMER_LOCAL_USER, local_user
from mailgun_mcp.store.connection import Connection

BY_ACCOUNT = {
    "approvals": "approvals",
    "grants": "grants",
    "sends": "sends",
    "spend": "costs",
    "address_changes": "counts of addresses put on lists",
    "calls": "calls of the last hour",
    "untrusted": "marks of third-party text",
    "snapshots": "calls to undo",
    "kept_results": "long results",
}
"""Table with a column `account` -> what its rows are called. The audit log is not among them: it never changes."""


UNNAMED = ""
"""The account of data that version 0.1 stored for all accounts together."""


def adopt(connection: Connection, account: str, *, former: str, endpoint: str) -> str:
    """Give the account what version 0.1 stored, and return what that was, in words; empty for nothing.

    That version called every account `former`. Of its snapshots, the account gets those of its own endpoint.
    """
    counts: dict[str, int] = {}
    for table, rows in BY_ACCOUNT.items():
        query, values = f"UPDATE {table} SET account = ? WHERE account IN (?, ?)", [account, former, UNNAMED]  # noqa: S608
        if table == "snapshots":
            query, values = f"{query} AND endpoint = ?", [*values, endpoint]
        counts[rows] = connection.execute(query, values).rowcount
    if not any(counts.values()):
        return ""
    principal = local_user().id
    for table in ("approvals", "sends", "untrusted"):
        connection.execute(
            f"UPDATE {table} SET principal = ? WHERE principal = ? AND account = ?",  # noqa: S608 - names of our own
            (principal, FORMER_LOCAL_USER, account),
        )
    connection.execute(
        "INSERT INTO account_aliases (alias, account) VALUES (?, ?) ON CONFLICT DO NOTHING", (former, account)
    )
    return ", ".join(f"{count:,} {rows}" for rows, count in counts.items() if count)


def move(connection: Connection, source: str, account: str) -> None:
    """Move everything stored for the account `source` to `account`."""
    connection.execute(
        """INSERT INTO untrusted (account, principal, at) SELECT ?, principal, at FROM untrusted WHERE account = ?
        ON CONFLICT (account, principal) DO UPDATE
        SET at = CASE WHEN untrusted.at > excluded.at THEN untrusted.at ELSE excluded.at END""",
        (account, source),
    )
    connection.execute("DELETE FROM untrusted WHERE account = ?", (source,))
    for table in [*(BY_ACCOUNT.keys() - {"untrusted"}), "account_aliases"]:
        connection.execute(f"UPDATE {table} SET account = ? WHERE account = ?", (account, source))  # noqa: S608
    connection.execute("INSERT INTO account_aliases (alias, account) VALUES (?, ?)", (source, account))
