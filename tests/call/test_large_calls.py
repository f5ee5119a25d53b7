"""Large calls are worked on in a thread, small ones at once."""

from threading import current_thread

import pytest

from mailgun_mcp.call.large_calls import LARGE, for_size
from tests.support.calls import run
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("length", "in_thread"), [(10, False), (LARGE + 1, True)])
async def test_the_size_decides_where_a_call_is_worked_on(length: int, in_thread: bool) -> None:
    thread = await for_size({"text": "x" * length}, current_thread)
    assert (thread is not current_thread()) is in_thread


async def test_a_large_call_is_made_as_a_small_one_is() -> None:
    mailgun = Recorder()
    mail = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["b@x.example"], "subject": "s"}
    for length in (10, LARGE * 2):
        services = recorded_services(mailgun)
        assert (await run(services, "send_message", {**mail, "text": "x" * length})).kind == "done"
        refused = await run(services, "send_message", {**mail, "to": "x" * length})
        assert refused.is_error
