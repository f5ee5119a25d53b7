"""Static tokens: shown once, kept as a hash, valid until they expire or are revoked."""

import re

import pytest

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.tokens import TOKEN, Tokens
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_both_engines

READER = Access(parse_scopes(["read"]))
BOUND = Access(parse_scopes(["read", "send"]), ("production",), ("*.example.com",))


@pytest.fixture
def tokens(store: Store) -> Tokens:
    return Tokens(store)


def made(tokens: Tokens, name: str = "ci", access: Access = READER, expires: float | None = None) -> str:
    return tokens.create(name, access, by="ann", now=NOW, expires=expires)[1]


def test_a_token_is_found_with_what_it_may_do(tokens: Tokens) -> None:
    text = made(tokens, access=BOUND)
    token = tokens.find(text, NOW)
    assert token is not None
    assert (token.name, token.access, token.created_by) == ("ci", BOUND, "ann")


def test_a_token_has_256_random_bits_behind_a_prefix(tokens: Tokens) -> None:
    first, second = made(tokens, "a"), made(tokens, "b")
    assert first != second
    assert re.fullmatch(r"mgmcp_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", first)


def test_the_state_holds_no_token(tokens: Tokens, store: Store) -> None:
    text = made(tokens)
    secret = text[-43:]
    assert secret not in str(rows(store, "SELECT * FROM tokens"))
    assert all(secret.encode() not in path.read_bytes() for path in store.directory.glob("*"))


def test_what_is_almost_the_token_is_not(tokens: Tokens) -> None:
    text, other = made(tokens), made(tokens, "other")
    parts, others = TOKEN.fullmatch(text), TOKEN.fullmatch(other)
    assert parts
    assert others
    wrong = [text[:-1], f"{text}x", text.swapcase(), text[:-1] + ("A" if text[-1] != "A" else "B"), "", "mgmcp_"]
    wrong += [f"mgmcp_{parts[1]}_{others[2]}", f"mgmcp_{'x' * 10}_{parts[2]}", f" {text}", f"{text}\n"]
    assert [tokens.find(candidate, NOW) for candidate in wrong] == [None] * len(wrong)


def test_a_token_ends_when_it_expires_or_is_revoked(tokens: Tokens) -> None:
    short, revoked = made(tokens, "short", expires=NOW + 60), made(tokens, "revoked")
    assert tokens.find(short, NOW + 59)
    assert tokens.find(short, NOW + 60) is None
    tokens.revoke("Revoked", NOW)
    assert tokens.find(revoked, NOW) is None
    assert not tokens.any_valid(NOW + 60)


def test_a_name_is_free_again_when_its_token_is_not_valid_any_more(tokens: Tokens) -> None:
    old = made(tokens, expires=NOW + 60)
    with pytest.raises(StateError, match="revoke it first"):
        made(tokens, "CI")
    new = tokens.create("ci", READER, by="ann", now=NOW + 60)[1]
    assert (tokens.find(old, NOW + 60), bool(tokens.find(new, NOW + 60))) == (None, True)


@pytest.mark.parametrize("name", ["", "a b", "ann@example.com", "anonymous", "Anonymous", "x" * 64])
def test_a_name_is_one_that_no_other_kind_of_caller_has(tokens: Tokens, name: str) -> None:
    with pytest.raises(StateError):
        made(tokens, name)


def test_the_last_use_is_noted_once_a_minute(tokens: Tokens) -> None:
    text = made(tokens)
    for seconds in (0, 30, 90):
        tokens.find(text, NOW + seconds)
    assert tokens.list()[0].last_used == NOW + 90
    tokens.find(text, NOW + 100)
    assert tokens.list()[0].last_used == NOW + 90


def test_an_unknown_name_cannot_be_revoked(tokens: Tokens) -> None:
    made(tokens)
    with pytest.raises(UnknownNameError, match=r"unknown token 'c'.*ci"):
        tokens.revoke("c", NOW)


@on_sqlite
def test_reading_creates_nothing(tokens: Tokens, store: Store) -> None:
    assert (tokens.list(), tokens.find(f"mgmcp_{'a' * 10}_{'A' * 43}", NOW)) == ((), None)
    assert not store.exists


def test_a_token_that_is_revoked_again_was_revoked_before_and_is_not_called_unknown(tokens: Tokens) -> None:
    made(tokens, "ci")
    tokens.revoke("ci", NOW)
    with pytest.raises(UnknownNameError, match=r"the token ci is revoked already, since 20..-..-..T"):
        tokens.revoke("CI", NOW + 60)
