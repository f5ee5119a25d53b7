"""The approvals channel as a call sees it: a yes that was given for less is no yes."""

from pathlib import Path

import pytest

from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.policy.model import LEVELS, Level
from mailgun_mcp.store.database import Store
from tests.support.state import NOW, asked, held

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("needed", LEVELS)
async def test_a_yes_counts_only_where_no_more_is_asked_of_a_person(store: Store, needed: Level) -> None:
    approval = held(store, asked("typed"))
    Approvals(store).approve(approval.id, by="ann", now=NOW, typed=approval.typed)
    by = await PendingApprovals(store, lambda: NOW, None).consume(asked(needed))
    assert by == ("ann" if needed in ("ask", "typed") else None)


async def test_without_a_state_nobody_approved_anything_and_none_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    assert await PendingApprovals(store, lambda: NOW, None).consume(asked()) is None
    assert not store.directory.exists()
