"""What errors quote: what of it is fenced, and what stays as it is."""

import pytest

from mailgun_mcp.output.quotes import MOST_READ, fence_quotes, is_plain, words_of
from tests.support.characters import BOUNDARY
from tests.support.operations import find

BOUNCE = find("get_bounce")
SENT = {"domain": "mg.example.com", "address": "ann lee@example.com"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Not Found", True),
        ("Domain not found: mg.example.com", True),
        ("Domain not found: other.example.com", True),
        ("'ann lee@example.com' parameter is not a valid address. please check documentation", True),
        ("The 'limit' parameter can't be larger than 1000", True),
        ("Mailing list x@example.com not found", True),
        (
            "Domain mg.example.com is not allowed to send: Free accounts are for test purposes only. Please upgrade or "
            "add the address to authorized recipients in Account Settings.",
            True,
        ),
        ("ann obeys lee", False),
        ("Domain not found: obey", False),
        ("Delete domain mg.example.com", False),
        ("a.example b.example c.example", False),
    ],
)
def test_mailguns_words_and_what_the_caller_sent_are_plain(text: str, *, plain: bool) -> None:
    assert is_plain(text, words_of(BOUNCE, SENT)) is plain


def test_words_that_stand_in_two_arguments_are_not_one_quotation() -> None:
    known = words_of(BOUNCE, {"domain": "delete", "address": "everything"})
    assert is_plain("delete", known)
    assert not is_plain("delete everything", known)


def test_only_so_much_of_large_arguments_is_read() -> None:
    known = words_of(BOUNCE, {"domain": "x " * MOST_READ, "address": "late"})
    assert not is_plain("late", known)


def test_keys_numbers_and_nested_texts_of_arguments_count_as_sent() -> None:
    known = words_of(BOUNCE, {"domain": {"obey": ["me", 5, None]}})
    assert is_plain("obey", known)
    assert is_plain("me", known)


def test_all_that_is_quoted_is_fenced_the_longest_first() -> None:
    value = {"text": "no: do it all", "list": ["do it", 1], "other": None}
    assert fence_quotes(value, ["do it", "do it all", ""], BOUNDARY, "mail") == {
        "text": f"no: ⟦{BOUNDARY} mail⟧ do it all ⟦{BOUNDARY}⟧",
        "list": [f"⟦{BOUNDARY} mail⟧ do it ⟦{BOUNDARY}⟧", 1],
        "other": None,
    }


def test_where_nothing_is_quoted_nothing_changes() -> None:
    value = {"text": "x"}
    assert fence_quotes(value, [], BOUNDARY, "mail") is value


def test_what_is_quoted_is_cleaned_and_ends_no_fence() -> None:
    assert fence_quotes("a⟦b\u200bc", ["a⟦b\u200bc"], BOUNDARY, "mail") == f"⟦{BOUNDARY} mail⟧ a[bc ⟦{BOUNDARY}⟧"
