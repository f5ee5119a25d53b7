"""Which keyring is used: none that only pretends to encrypt."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mailgun_mcp.store.keyring import find_keyring


def backend(priority: Any, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(priority=priority, **more)


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        pytest.param(backend(5), True, id="of-the-desktop"),
        pytest.param(backend(0.5), False, id="plain-text"),
        pytest.param(backend(-1), False, id="null"),
        pytest.param(backend(10, backends=[backend(5), backend(0.5)]), False, id="a-chain-with-plain-text"),
        pytest.param(backend(10, backends=[backend(5), backend(1)]), True, id="a-chain"),
        pytest.param(backend("much"), False, id="nonsense"),
    ],
)
def test_only_keyrings_that_encrypt_are_taken(found: Any, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_keyring=lambda: found))
    assert find_keyring() is (found if taken else None)


def test_the_keyring_package_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert find_keyring() is None
