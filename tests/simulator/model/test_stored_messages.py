"""Stored messages that come from a file are read when they are needed, and written as they are if they were not."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest

from mailgun_mcp.simulator.model import stored_messages
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.parts import Part
from mailgun_mcp.simulator.model.stored_messages import StoredMessages


def mail(number: int) -> StoredMessage:
    return StoredMessage(
        f"k{number}", str(number), "mail.example.com", float(number), "a@mail.example.com", ["b@x"], {}
    )


def some(*numbers: int) -> StoredMessages:
    return StoredMessages({f"k{number}": mail(number) for number in numbers})


def as_json(message: StoredMessage) -> dict[str, Any]:
    return {**asdict(message), "untracked": sorted(message.untracked)}


def from_file(*numbers: int) -> StoredMessages:
    """Return messages that were not read yet, in parts of two."""
    messages = StoredMessages()
    for part in some(*numbers).parts(as_json):
        messages.add_part(part, read_now=False)
    return messages


@pytest.fixture(autouse=True)
def _parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_messages, "PART_SIZE", 500)


def unread(messages: StoredMessages) -> list[str]:
    return [key for key, entry in messages._entries.items() if not isinstance(entry, StoredMessage)]


def test_a_message_is_read_with_those_of_its_part_and_no_others() -> None:
    messages = from_file(1, 2, 3, 4)
    assert unread(messages) == list(messages) == ["k1", "k2", "k3", "k4"]
    assert messages["k3"] == mail(3)
    assert unread(messages) == ["k1", "k2"]
    assert ("k1" in messages, len(messages), unread(messages)) == (True, 4, ["k1", "k2"])


def test_the_newest_are_read_first() -> None:
    messages = from_file(1, 2, 3, 4)
    assert next(messages.newest()) == mail(4)
    assert unread(messages) == ["k1", "k2"]


def test_all_can_be_read_in_their_order() -> None:
    messages = from_file(1, 2, 3)
    assert list(messages.values()) == [mail(1), mail(2), mail(3)]
    assert list(reversed(messages)) == ["k3", "k2", "k1"]
    assert unread(messages) == []


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda messages: messages.pop("k1"), ["k2", "k3"]),
        (lambda messages: messages.__setitem__("k1", mail(1)), ["k1", "k2", "k3"]),
        (lambda messages: messages.__setitem__("k9", mail(9)), ["k1", "k2", "k3", "k9"]),
        (lambda messages: messages.clear(), []),
    ],
    ids=["removed", "replaced", "added", "cleared"],
)
def test_what_was_changed_is_written_and_read_again(
    change: Callable[[StoredMessages], object], left: list[str]
) -> None:
    messages, again = from_file(1, 2, 3), StoredMessages()
    change(messages)
    for part in messages.parts(as_json):
        again.add_part(part, read_now=True)
    assert [message.key for message in again.values()] == list(again) == left


def test_what_was_not_read_is_written_as_it_is() -> None:
    messages = from_file(1, 2, 3)
    assert list(messages.parts(as_json)) == list(some(1, 2, 3).parts(as_json))
    assert unread(messages) == ["k1", "k2", "k3"]


def test_a_copy_is_another_collection_of_the_same_messages() -> None:
    messages = from_file(1, 2, 3)
    copy = deepcopy(messages)
    del copy["k1"]
    assert (list(messages), list(copy)) == (["k1", "k2", "k3"], ["k2", "k3"])


def test_there_is_no_other_message() -> None:
    with pytest.raises(KeyError):
        some(1)["k2"]


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (Part(b"{}", "k1"), "not a list of keys"),
        (Part(b"{}", [1]), "not a list of keys"),
        (Part(b"{}", ["k0"]), "a message occurs twice"),
        (Part(b"{}", ["k1"]), "the index of the messages is wrong"),
        (Part(b'{"k1": {}}', ["k1"]), "validation error"),
    ],
)
def test_a_part_of_something_else_is_refused(part: Part, fault: str) -> None:
    with pytest.raises((ValueError, TypeError), match=fault):
        some(0).add_part(part, read_now=True)
