"""What policy counts: single uses, sends, spend, and third parties' text."""

from mailgun_mcp.call.counters import Nonces, Sends, Spend, Untrusted
from mailgun_mcp.store.database import MONTHS, Store
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_both_engines


def test_a_nonce_is_good_once(store: Store) -> None:
    assert [Nonces(store).burn("one", NOW + 60, NOW) for _ in range(3)] == [True, False, False]
    assert Nonces(store).burn("two", NOW + 60, NOW)


def test_a_nonce_is_good_once_also_after_a_restart(store: Store) -> None:
    assert Nonces(store).burn("one", NOW + 60, NOW)
    store.close()
    assert not Nonces(store.reopened()).burn("one", NOW + 60, NOW)


def test_a_nonce_past_its_time_is_good_for_nothing(store: Store) -> None:
    assert Nonces(store).burn("one", NOW + 60, NOW)
    assert not Nonces(store).burn("one", NOW + 60, NOW + 60)
    assert not Nonces(store).burn("two", NOW, NOW)


def test_nonces_past_their_time_are_forgotten(store: Store) -> None:
    Nonces(store).burn("old", NOW + 60, NOW)
    Nonces(store).burn("new", NOW + 600, NOW + 60)
    assert rows(store, "SELECT nonce FROM nonces") == [("new",)]


def test_recipients_are_counted_by_account_over_all_callers(store: Store) -> None:
    Sends(store).record("main", "ann", "a", 3, NOW - 3600)
    Sends(store).record("main", "ann", "a", 5, NOW - 3599)
    Sends(store).record("main", "bob", "b", 7, NOW)
    Sends(store).record("other", "ann", "a", 100, NOW)
    assert Sends(store).recipients_since("main", NOW - 3600) == 12
    assert Sends(store).recipients_since("nobody", 0) == 0


def test_the_last_send_of_the_same_request_is_known(store: Store) -> None:
    for at in (NOW - 5, NOW, NOW - 9):
        Sends(store).record("main", "ann", "a", 1, at)
    Sends(store).record("main", "ann", "b", 1, NOW + 5)
    assert Sends(store).last("main", "a") == NOW
    assert Sends(store).last("other", "a") is None


def test_spend_is_summed_by_account_from_a_moment_on(store: Store) -> None:
    for account, amount, at in (
        ("main", 1.5, NOW - 1),
        ("main", 2.25, NOW),
        ("main", 4.0, NOW + 1),
        ("other", 9.0, NOW),
    ):
        Spend(store).record(account, amount, at)
    assert Spend(store).since("main", NOW) == 6.25
    assert Spend(store).since("nobody", 0) == 0


def test_counts_are_forgotten_when_no_rule_can_ask_for_them(store: Store) -> None:
    later = NOW + MONTHS + 1
    for at in (NOW, later):
        Sends(store).record("main", "ann", "a", 1, at)
        Spend(store).record("main", 1.0, at)
    assert (Sends(store).recipients_since("main", 0), Spend(store).since("main", 0)) == (1, 1.0)


def test_the_last_read_of_untrusted_text_is_known_by_caller(store: Store) -> None:
    assert Untrusted(store).last("main", "ann") is None
    for at in (NOW, NOW + 5, NOW - 5):
        Untrusted(store).mark("main", "ann", at)
    Untrusted(store).mark("main", "bob", NOW - 9)
    assert (Untrusted(store).last("main", "ann"), Untrusted(store).last("main", "bob")) == (NOW + 5, NOW - 9)


@on_sqlite
def test_no_count_scans_what_it_does_not_count(store: Store) -> None:
    Sends(store).record("main", "ann", "a", 1, NOW)
    queries = (
        "SELECT sum(recipients) FROM sends WHERE account = 'a' AND at > 1",
        "SELECT max(at) FROM sends WHERE account = 'a' AND digest = 'b'",
        "DELETE FROM sends WHERE at < 1",
        "DELETE FROM nonces WHERE expires <= 1",
        "SELECT * FROM approvals WHERE binding = 'a' AND status = 'approved' ORDER BY created, id",
    )
    plans = [rows(store, f"EXPLAIN QUERY PLAN {query}")[0][3] for query in queries]
    assert [plan.split()[0] for plan in plans] == ["SEARCH"] * len(queries)


def test_marks_are_listed_newest_first(store: Store) -> None:
    assert Untrusted(store).marks() == ()
    Untrusted(store).mark("main", "ann", NOW)
    Untrusted(store).mark("main", "ben", NOW + 1)
    assert Untrusted(store).marks() == (("main", "ben", NOW + 1), ("main", "ann", NOW))
