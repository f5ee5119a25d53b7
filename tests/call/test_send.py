"""A request is sent once, and the audit log has its intent and its outcome."""

import httpx
import pytest

from mailgun_mcp.call.prepare import build_request, gather_facts
from mailgun_mcp.call.send import body_of, send
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import OutcomeUnknownError, RejectedError
from mailgun_mcp.mailgun.response import Response
from tests.support.calls import BOUNCE, begun, run
from tests.support.empty_lists import empty_lists
from tests.support.recorder import Recorder, recorded_services

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
    async with recorded_services(mailgun) as services:
        assert body_of(await sent(services)) == {"message": "gone"}
        assert (mailgun.lines, outcomes(services)) == ([LINE], ["done"])


async def test_a_call_that_mailgun_refused_is_recorded_as_failed() -> None:
    async with recorded_services(Recorder(lambda _: httpx.Response(404, json={"message": "no"}))) as services:
        with pytest.raises(RejectedError):
            await sent(services)
        assert outcomes(services) == ["failed"]


async def test_a_change_that_may_have_taken_effect_is_unknown_and_names_its_record() -> None:
    async with recorded_services(Recorder(lambda _: httpx.Response(500))) as services:
        with pytest.raises(OutcomeUnknownError) as raised:
            await sent(services)
        assert outcomes(services) == ["unknown"]
        (call,) = services.audit_log.calls()
        assert f"It is recorded as {call.id}." in raised.value.next_step


async def test_what_exists_already_is_said_with_the_tools_that_read_and_change_it() -> None:
    def answer(line: str) -> httpx.Response:
        exists = httpx.Response(409, json={"message": "template welcome already exists"})
        return exists if line.startswith("POST") else httpx.Response(404, json={"message": "not found"})

    mailgun = Recorder(answer)
    async with recorded_services(mailgun) as services:
        made = {"domain": "mg.example.com", "name": "welcome", "template": "Hi"}
        outcome = await run(services, "create_template", made)
    assert outcome.text.endswith("get_template shows it, and update_template changes it.")


def test_an_answer_that_is_not_json_has_no_value() -> None:
    assert [body_of(Response(200, {}, content)) for content in (b"<html>", b"\xff", b"")] == [None, None, None]


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("get_bounce", "Address not found in bounces table"),
        ("get_complaint", "No spam complaints found for this address"),
        ("get_unsubscribe", "Address not found in unsubscribers table"),
    ],
)
async def test_an_address_that_is_not_listed_is_an_answer_and_no_error(tool: str, said: str) -> None:
    mailgun = Recorder(lambda _: httpx.Response(404, json={"message": said}))
    async with recorded_services(mailgun) as services:
        result = await run(services, tool, BOUNCE)
        assert (result.kind, result.structured) == ("done", {"listed": False, "address": "ann@example.com"})
        assert outcomes(services) == ["done"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Member ann@example.com of mailing list team@example.com not found", "done"),
        ("Mailing list 'team@example.com' not found", "failed"),
    ],
)
async def test_who_is_not_a_member_is_an_answer_and_an_unknown_list_an_error(said: str, kind: str) -> None:
    mailgun = Recorder(lambda _: httpx.Response(404, json={"message": said}))
    member = {"list_address": "team@example.com", "member_address": "ann@example.com"}
    async with recorded_services(mailgun) as services:
        result = await run(services, "get_mailing_list_member", member)
        assert result.kind == kind
        assert (result.structured is not None and result.structured["listed"] is False) == (kind == "done")


async def test_an_address_that_is_listed_says_so_too() -> None:
    mailgun = Recorder(lambda _: httpx.Response(200, json={"address": "ann@example.com", "code": "550"}))
    async with recorded_services(mailgun) as services:
        result = await run(services, "get_bounce", BOUNCE)
        assert result.structured == {"listed": True, "address": "ann@example.com", "code": "550"}


async def test_an_unknown_domain_stays_an_error() -> None:
    mailgun = Recorder(lambda _: httpx.Response(404, json={"message": "Domain not found: mg.example.com"}))
    async with recorded_services(mailgun) as services:
        result = await run(services, "get_bounce", BOUNCE)
        assert result.kind == "failed"
        assert "Domain not found" in result.text


async def test_a_sends_result_repeats_what_cannot_be_read_back() -> None:
    mailgun = Recorder(
        lambda _: httpx.Response(200, json={**empty_lists(), "id": "<1@x>", "message": "Queued. Thank you."})
    )
    options = {"tags": ["order"], "test_mode": True, "time_zone_localize": "17:30"}
    mail = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["b@x.example"], "text": "Hi", **options}
    async with recorded_services(mailgun) as services:
        result = await run(services, "send_message", mail)
        assert result.structured is not None
        assert result.structured["asked_for"] == {"recipients": 1, **options}
