"""A request is sent once, and the audit log has its intent and its outcome."""

import httpx
import pytest

from mailgun_mcp.call.prepare import build_request, gather_facts
from mailgun_mcp.call.send import body_of, send
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import OutcomeUnknownError, RejectedError
from mailgun_mcp.mailgun.response import Response
from tests.support.calls import BOUNCE, begun
from tests.support.recorder import Recorder, recorded_app

pytestmark = pytest.mark.anyio
LINE = "DELETE /v3/mg.example.com/bounces/ann%40example.com"


async def sent(services: Services) -> Response:
    call = begun(services)
    request = build_request(call, BOUNCE)
    return await send(call, await gather_facts(call, request), request)


def outcomes(services: Services) -> list[str]:
    services.recorder.close()
    return [call.outcome for call in services.audit_log.calls()]


async def test_the_answer_is_returned_and_the_call_recorded_as_done() -> None:
    mailgun = Recorder(lambda _: httpx.Response(200, json={"message": "gone"}))
    async with recorded_app(mailgun) as services:
        assert body_of(await sent(services)) == {"message": "gone"}
        assert (mailgun.lines, outcomes(services)) == ([LINE], ["done"])


async def test_a_call_that_mailgun_refused_is_recorded_as_failed() -> None:
    async with recorded_app(Recorder(lambda _: httpx.Response(404, json={"message": "no"}))) as services:
        with pytest.raises(RejectedError):
            await sent(services)
        assert outcomes(services) == ["failed"]


async def test_a_change_that_may_have_taken_effect_is_unknown_and_names_its_record() -> None:
    async with recorded_app(Recorder(lambda _: httpx.Response(500))) as services:
        with pytest.raises(OutcomeUnknownError) as raised:
            await sent(services)
        assert outcomes(services) == ["unknown"]
        (call,) = services.audit_log.calls()
        assert f"It is recorded as {call.id}." in raised.value.next_step


def test_an_answer_that_is_not_json_has_no_value() -> None:
    assert [body_of(Response(200, {}, content)) for content in (b"<html>", b"\xff", b"")] == [None, None, None]
