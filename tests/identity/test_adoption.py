"""What was kept for one account is handed over whole, and only what is that account's."""

from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from mailgun_mcp.identity.adoption import BY_ACCOUNT
from mailgun_mcp.store.database import Store
from tests.support.state import NOW, rows

US, EU = "https://api.mailgun.net", "https://api.eu.mailgun.net"


def test_every_table_with_an_account_is_handed_over(store: Store) -> None:
    Accounts(store).open(KeyInUse(US, "us", "a"), NOW)
    tables = [name for (name,) in rows(store, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    with_account = {
        table for table in tables if "account" in [row[1] for row in rows(store, f"PRAGMA table_info({table})")]
    }
    assert with_account - {"account_keys", "account_aliases"} == BY_ACCOUNT.keys()


def kept(store: Store, account: str, principal: str = "local", endpoint: str = US) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO sends VALUES (?, ?, 'd', 3, ?)", (account, principal, NOW))
        connection.execute("INSERT INTO spend VALUES (?, 2.5, ?)", (account, NOW))
        connection.execute("INSERT INTO untrusted VALUES (?, ?, ?)", (account, principal, NOW))
        connection.execute("INSERT INTO grants VALUES (?, ?, ?, '{}', 'ann', ?)", (f"g-{account}", NOW, NOW, account))
        connection.execute(
            """INSERT INTO snapshots (id, created, until, status, tool, summary, account, endpoint)
            VALUES (?, ?, ?, 'kept', 't', 's', ?, ?)""",
            (f"s-{account}", NOW, NOW, account, endpoint),
        )


def accounts_of(store: Store, table: str) -> list[str]:
    return sorted(account for (account,) in rows(store, f"SELECT account FROM {table}"))


def test_a_snapshot_of_another_endpoint_waits_for_the_account_there(store: Store) -> None:
    kept(store, "default", endpoint=EU)
    us = Accounts(store).open(KeyInUse(US, "us", "a"), NOW)
    assert "1 sends" in us.notice
    assert "undo" not in us.notice
    assert accounts_of(store, "snapshots") == ["default"]
    eu = Accounts(store).open(KeyInUse(EU, "eu", "a"), NOW)
    assert "(1 calls to undo)" in eu.notice
    assert (accounts_of(store, "snapshots"), accounts_of(store, "sends")) == ([eu.account.id], [us.account.id])


def test_what_moves_to_another_account_moves_whole_and_the_newest_mark_stays(store: Store) -> None:
    one, two = (Accounts(store).open(KeyInUse(US, "us", name, name), NOW).account for name in ("one", "two"))
    kept(store, one.id, "ann")
    kept(store, two.id, "ann")
    with store.writing() as connection:
        connection.execute("UPDATE untrusted SET at = ? WHERE account = ?", (NOW + 5, two.id))
    Accounts(store).accept_from("one", "two")
    for table in ("sends", "spend", "grants", "snapshots"):
        assert accounts_of(store, table) == [one.id, one.id]
    assert rows(store, "SELECT account, principal, at FROM untrusted") == [(one.id, "ann", NOW + 5)]
