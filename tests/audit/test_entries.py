"""Each entry has a hash that names its key and depends on every field."""

from typing import Any

from mailgun_mcp.audit.entries import START, StoredEntry, key_of, keyed_hash, plain_hash
from mailgun_mcp.audit.log_keys import AuditKey

KEY = AuditKey("abcd1234", b"0" * 32)
FIELDS: dict[str, Any] = {"seq": 1, "prev": START, "at": 1.5, "call": "one", "kind": "intent", "body": "{}"}
OTHERS: dict[str, Any] = {"seq": 2, "prev": "x", "at": 2.5, "call": "two", "kind": "outcome", "body": "[]"}


def test_a_hash_names_its_key() -> None:
    assert key_of(keyed_hash(KEY, **FIELDS)) == "abcd1234"
    assert key_of(START) is None


def test_every_field_and_the_key_count() -> None:
    hashes = [keyed_hash(KEY, **{**FIELDS, name: OTHERS[name]}) for name in FIELDS]
    other_key = keyed_hash(AuditKey("abcd1234", b"1" * 32), **FIELDS)
    assert len({keyed_hash(KEY, **FIELDS), other_key, *hashes}) == len(FIELDS) + 2


def test_an_entry_of_version_one_has_the_hash_that_it_had() -> None:
    entry = StoredEntry(1, 1.5, "one", "intent", "{}", START, "")
    assert plain_hash(entry) == "887de16847910631ae0abe58bbbb36600ebb88f3cc49faf2bb36d80603e23d00"
