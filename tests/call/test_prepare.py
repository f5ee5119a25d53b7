"""A call gets its tool, its one request, and the facts that rules look at."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.prepare import build_request, find_operation, gather_facts, generate_passwords
from mailgun_mcp.errors import ArgumentError, UnknownToolError
from tests.support.calls import BOUNCE, begun
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


async def test_a_tool_is_found_by_its_name_and_an_unknown_one_names_the_nearest() -> None:
    async with recorded_services(Recorder()) as services:
        assert [find_operation(services, tool).name for tool in ("get_bounce", "read_result")] == [
            "get_bounce",
            "read_result",
        ]
        with pytest.raises(UnknownToolError, match="did you mean 'get_bounce'"):
            find_operation(services, "get_bounces")


@pytest.mark.parametrize(
    ("choice", "why"),
    [({"read_only": True}, r"\(--read-only\)"), ({"exclude": ["delete_bounce"]}, r"\(--toolsets, .*--exclude-tools\)")],
)
async def test_a_tool_that_was_left_out_is_not_called_unknown(choice: dict[str, Any], why: str) -> None:
    async with recorded_services(Recorder()) as services:
        fewer = replace(services, catalogue=services.catalogue.select(**choice), full_catalogue=services.catalogue)
        with pytest.raises(UnknownToolError, match=f"the tool 'delete_bounce' exists, but this server .*{why}"):
            find_operation(fewer, "delete_bounce")


async def test_a_deprecated_tool_that_was_left_out_names_the_flag() -> None:
    async with recorded_services(Recorder()) as services:
        fewer = replace(
            services, catalogue=services.catalogue.select(deprecated=False), full_catalogue=services.catalogue
        )
        with pytest.raises(UnknownToolError, match=r"other tools \(--no-deprecated, --toolsets"):
            find_operation(fewer, "list_domain_tags")


async def test_arguments_become_a_request_or_all_their_faults() -> None:
    async with recorded_services(Recorder()) as services:
        call = begun(services)
        assert build_request(call, BOUNCE).line == "DELETE /v3/mg.example.com/bounces/ann%40example.com"
        with pytest.raises(ArgumentError) as raised:
            build_request(call, {"adress": "x"})
        assert len(raised.value.faults) == 3


async def test_the_facts_and_the_record_have_the_digest_of_the_request() -> None:
    mailgun = Recorder()
    async with recorded_services(mailgun) as services:
        call = begun(services)
        request = build_request(call, BOUNCE)
        facts = await gather_facts(call, request)
        assert (facts.digest, call.record.digest, mailgun.lines) == (request.digest, request.digest, [])


async def test_a_call_without_passwords_keeps_its_request() -> None:
    async with recorded_services(Recorder(lambda _: httpx.Response(200))) as services:
        call = begun(services)
        request = build_request(call, BOUNCE)
        assert await generate_passwords(call, request) == (request, {})
