"""A body that was read is there again, once, and then what the client sends after it."""

import pytest

from mailgun_mcp.web.body_replay import replay

pytestmark = pytest.mark.anyio


async def test_the_body_comes_first_and_then_the_end() -> None:
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    receive = replay(b"body", gone)
    assert await receive() == {"type": "http.request", "body": b"body", "more_body": False}
    assert await receive() == {"type": "http.disconnect"}
