"""What is lost with a domain or subaccount is counted; what cannot be read is said to be unknown."""

import httpx
import pytest

from mailgun_mcp.undo.contents import read_contents
from mailgun_mcp.undo.page_reader import PageReader
from tests.support.operations import catalogue
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

DOMAIN = {"domain": "mg.example.com"}


async def test_what_cannot_be_read_is_said_to_be_unknown() -> None:
    async with recorded_services(Recorder(lambda _: httpx.Response(403, json={}))) as services:
        contents = await read_contents(catalogue(), PageReader(services.client), "delete_domain", DOMAIN)
    assert contents.words == (
        "an unknown number of keys",
        "an unknown number of messages in the last 30 days",
        "an unknown number of mailing lists",
    )


async def test_the_domains_of_a_subaccount_are_counted_in_it() -> None:
    mailgun = Recorder(lambda _: httpx.Response(200, json={"items": [{"name": "a.example"}], "total_count": 1}))
    async with recorded_services(mailgun) as services:
        contents = await read_contents(
            catalogue(), PageReader(services.client), "delete_subaccount", {"subaccount_id": "s1"}
        )
    assert (contents.words, contents.bound) == (("1 domain",), (["a.example"],))


async def test_another_target_has_no_contents() -> None:
    async with recorded_services(Recorder()) as services:
        contents = await read_contents(catalogue(), PageReader(services.client), "get_domain", DOMAIN)
    assert contents.words == ()
