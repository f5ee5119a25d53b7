"""What a call changed, from what was saved before it and read after it; planning itself: see test_round_trips."""

import pytest

from mailgun_mcp.undo.planner import Change, changes_of
from mailgun_mcp.undo.records import EVERYTHING, Affected, Observed, ResourceRef

SCOPE = (("domain", "mg.example.com"),)
A, B, ALL = (ResourceRef("bounce", SCOPE, key) for key in ("a@x.example", "b@x.example", EVERYTHING))
OLD, NEW = {"code": "1"}, {"code": "2"}


@pytest.mark.parametrize(
    ("affected", "observed", "change"),
    [
        pytest.param(Affected(A, OLD, "removes"), [], Change(A, OLD, None, "removes"), id="a removal is not read"),
        pytest.param(
            Affected(A, OLD, "changes"), [Observed(A, NEW)], Change(A, OLD, NEW, "changes"), id="a change that was read"
        ),
        pytest.param(
            Affected(A, OLD, "changes"),
            [],
            Change(A, OLD, None, "changes", after_known=False),
            id="a change that could not be read",
        ),
        pytest.param(
            Affected(A, OLD, "changes"),
            [Observed(A, OLD)],
            Change(A, OLD, None, "changes", after_known=False),
            id="a change that cannot be seen yet",
        ),
        pytest.param(
            Affected(A, OLD, "changes"),
            [Observed(ALL, None)],
            Change(A, OLD, None, "changes"),
            id="gone from a scope that was read",
        ),
        pytest.param(
            Affected(A, OLD, "changes", B.key),
            [Observed(B, OLD)],
            Change(A, OLD, OLD, "changes", B.key),
            id="a rename is read under the new key",
        ),
        pytest.param(Affected(A, None, "makes"), [Observed(A, NEW)], Change(A, None, NEW, "makes"), id="what was made"),
    ],
)
def test_a_change_is_what_was_before_and_after(affected: Affected, observed: list[Observed], change: Change) -> None:
    assert list(changes_of([affected], observed)) == [change]


def test_what_is_there_only_after_the_call_was_made_by_it() -> None:
    assert list(changes_of([], [Observed(ALL, None), Observed(A, NEW)])) == [Change(A, None, NEW, "makes")]
