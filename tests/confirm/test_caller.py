"""How a call came in, when nothing else is said."""

import pytest

from mailgun_mcp.confirm.asker import NOBODY
from mailgun_mcp.confirm.caller import Caller, quiet
from tests.support.calls import LOCAL, LOCAL_USER


@pytest.mark.anyio
async def test_a_caller_has_nobody_to_ask_and_hears_of_no_progress_unless_told_otherwise() -> None:
    assert Caller(LOCAL_USER) == LOCAL
    assert (LOCAL.asker, LOCAL.notify) == (NOBODY, quiet)
    assert await LOCAL.notify("half done") is None  # type: ignore[func-returns-value] # that is the point
