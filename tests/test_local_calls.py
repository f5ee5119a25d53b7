"""The server's own tools: reading on, listing what can be undone, undoing it."""

from typing import Any

import pytest

from mailgun_mcp.app import Outcome
from mailgun_mcp.local_tools import READ_RESULT
from mailgun_mcp.pipeline import run
from tests.support.recorder import Recorder, recorded_app

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "result: is required (string)"),
        ({"result": 3}, "result: must be a string, not integer 3"),
        ({"result": "x", "offset": -1}, "offset: -1 is less than 0"),
        ({"result": "x", "offset": True}, "offset: must be an integer, not boolean True"),
        ({"result": "x", "ofset": 0}, "ofset: unknown argument; did you mean offset?"),
        ({"result": "gone"}, "result: 'gone' is not kept (any more); make the call again, for less at a time"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_wrong_read_says_what_is_wrong(arguments: dict[str, Any], told: str) -> None:
    outcome = await run(recorded_app(Recorder()), READ_RESULT, arguments)
    faults = f"Nothing was sent: 1 fault(s) in the arguments of read_result.\n- {told}"
    assert outcome == Outcome(faults, kind="invalid")
