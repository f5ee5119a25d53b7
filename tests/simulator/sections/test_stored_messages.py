"""Stored messages: read in parts and as MIME, until their retention ends."""

from email import message_from_string

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.worlds.demo import SHOP
from tests.simulator.conftest import PLAIN
from tests.simulator.sections.sending import BASIC, only, send, stored

pytestmark = pytest.mark.anyio


async def test_a_stored_message_is_read_in_its_parts(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    files = [("attachment", ("a.txt", b"abc", "text/plain")), ("inline", ("b.png", b"\x89P", "image/png"))]
    await mailgun.post(f"/v3/{PLAIN}/messages", data={**BASIC, "html": "<p>Hello</p>"}, files=files)
    body = await stored(mailgun, only(plain))
    assert (body["body-plain"], body["body-html"], body["Subject"]) == ("Hello", "<p>Hello</p>", "Hi")
    assert (body["sender"], body["recipients"]) == ("shop@x.example", "ann@x.example")
    assert ["Subject", "Hi"] in body["message-headers"]
    assert [(item["name"], item["size"]) for item in body["attachments"]] == [("b.png", 2), ("a.txt", 3)]
    assert body["content-id-map"] == {"<b.png>": body["attachments"][0]}


async def test_the_storage_url_of_an_event_leads_to_the_message(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun)
    url = plain.events[0].record["storage"]["url"]
    assert url.startswith("https://storage-us-east4.api.mailgun.net/v3/domains/")
    assert (await mailgun.get(url)).json()["Subject"] == "Hi"


async def test_a_stored_message_is_read_as_mime(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    files = [("attachment", ("a.txt", b"abc", "text/plain")), ("attachment", ("b", b"\0", "odd"))]
    data = {
        **BASIC,
        "html": "<p>Hello</p>",
        "subject": "Grüße",
        "h:Content-Type": "text/x",
        "h:REPLY-TO": "a@x.example",
    }
    await mailgun.post(f"/v3/{PLAIN}/messages", data=data, files=files)
    body = await stored(mailgun, only(plain), "message/rfc2822")
    assert set(body) == {"sender", "from", "recipients", "subject", "body-mime"}
    mail = message_from_string(body["body-mime"])
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/plain",
        "odd/octet-stream",
    ]


async def test_lone_surrogates_do_not_break_the_mime_form(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, text="%recipient.a%", **{"recipient-variables": '{"ann@x.example": {"a": "\\ud800"}}'})
    assert "body-mime" in await stored(mailgun, only(plain), "message/rfc2822")


async def test_stored_messages_are_kept_three_days(
    mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock
) -> None:
    await send(mailgun)
    path = f"/v3/domains/{PLAIN}/messages/{only(plain).key}"
    clock.advance(3 * DAY)
    assert (await mailgun.get(path)).status_code == 200
    clock.advance(1)
    assert (await mailgun.get(path)).json() == {"message": "Message not found"}


async def test_a_domain_sets_how_long_messages_are_kept(
    mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock
) -> None:
    await mailgun.put(f"/v4/domains/{PLAIN}", data={"message_ttl": "3600"})
    await send(mailgun)
    clock.advance(3601)
    assert (await mailgun.get(f"/v3/domains/{PLAIN}/messages/{only(plain).key}")).status_code == 404


async def test_a_message_of_another_domain_is_not_found(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun)
    answer = await mailgun.get(f"/v3/domains/{SHOP}/messages/{only(plain).key}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Message not found"})
