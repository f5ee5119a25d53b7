"""What is told of each operation's simulation is complete, and what its handler bears out."""

from inspect import signature

import pytest
from docs.fidelity import COMPUTED, FIDELITY, FIXED, SHAPE_ONLY, STATEFUL

from mailgun_mcp.simulator.sections import HANDLERS
from tests.support.operations import catalogue

UNUSED = {"_", "__"}


def stands_on_nothing(name: str) -> bool:
    """Say whether the operation has no handler, or one that looks neither at the account nor at the call."""
    return name not in HANDLERS or set(signature(HANDLERS[name]).parameters) == UNUSED


def test_every_operation_has_its_entry_and_nothing_else_has() -> None:
    names = [*STATEFUL, *COMPUTED, *FIXED, *SHAPE_ONLY]
    assert sorted(names) == sorted(operation.name for operation in catalogue())


@pytest.mark.parametrize("name", FIDELITY)
def test_a_note_says_something_in_one_line(name: str) -> None:
    note = FIDELITY[name].note
    assert note == note.strip()
    assert 3 < len(note) <= 120
    assert not {"\n", "|"} & set(note)
    assert "not implemented" not in note.lower()


def test_only_what_stands_on_nothing_is_fixed_or_has_only_its_shape() -> None:
    told = {*FIXED, *SHAPE_ONLY}
    assert told == {operation.name for operation in catalogue() if stands_on_nothing(operation.name)}


def test_what_changes_nothing_only_reads() -> None:
    written = {operation.name for operation in catalogue() if operation.risk != "read"}
    # The first looks an address up for money, the second sends a mail that nobody gets.
    assert written - STATEFUL.keys() <= {"validate_email_address", "resend_activation_email"}
