"""Search mode: tools are found, described and called without being listed, under the same guard rails."""

import json
from typing import Any

import pytest

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.policy.profiles import profile
from tests.support.calls import BOUNCE, run
from tests.support.recorder import Recorder, recorded_services
from tests.support.tokens import count_tokens

pytestmark = pytest.mark.anyio


def services_in_search_mode(mailgun: Recorder, policy: str = "guarded") -> Services:
    return recorded_services(mailgun, search_mode=True, policy=profile(policy))


async def result_of(tool: str, **arguments: Any) -> dict[str, Any]:
    async with services_in_search_mode(Recorder()) as services:
        outcome = await run(services, tool, arguments)
        assert not outcome.is_error, outcome.text
        assert outcome.structured is not None
        return outcome.structured


async def refusal_of(
    tool: str, mailgun: Recorder | None = None, policy: str = "guarded", **arguments: Any
) -> CallResult:
    mailgun = mailgun or Recorder()
    async with services_in_search_mode(mailgun, policy) as services:
        outcome = await run(services, tool, arguments)
        assert outcome.is_error
        assert mailgun.lines == []
        return outcome


async def test_a_search_answers_in_a_few_words() -> None:
    result = await result_of("search_tools", queries=["which DNS records do I need"])
    assert len(result["tools"]) == 8
    assert {
        "name": "get_domain",
        "does": "Shows a domain's state, settings and DNS records, as last checked",
        "required": ["domain"],
    } in result["tools"]


async def test_eight_hits_cost_less_than_400_tokens() -> None:
    for query in ("why did mail bounce", "stop mailing somebody", "change the webhook", "how much did we send"):
        text = json.dumps(await result_of("search_tools", queries=[query]), separators=(",", ":"))
        assert count_tokens(text) < 400, text


async def test_several_queries_add_up() -> None:
    result = await result_of("search_tools", queries=["mailing list members", "delete subscriber"], limit=3)
    assert "delete_mailing_list_member" in [tool["name"] for tool in result["tools"]]
    assert len(result["tools"]) == 3


async def test_a_toolset_narrows_the_search() -> None:
    result = await result_of("search_tools", queries=["remove"], toolset="bounces", detail="names")
    assert {tool["name"] for tool in result["tools"]} <= {
        "import_bounces",
        "get_bounce",
        "delete_bounce",
        "list_bounces",
        "add_bounces",
        "clear_bounces",
    }


async def test_nothing_found_names_the_toolsets() -> None:
    result = await result_of("search_tools", queries=["🙂"])
    assert result["tools"] == []
    assert "bounces" in result["message"]


async def test_a_description_has_what_a_call_needs() -> None:
    (tool,) = (await result_of("describe_tools", names=["delete_bounce"]))["tools"]
    assert tool["risk"] == "destructive"
    assert tool["input_schema"]["required"] == ["domain", "address"]


async def test_a_read_goes_through_the_reading_tool() -> None:
    mailgun = Recorder()
    async with services_in_search_mode(mailgun) as services:
        outcome = await run(services, "read_tool", {"name": "get_bounce", "arguments": BOUNCE})
    assert not outcome.is_error, outcome.text
    assert mailgun.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]


async def test_the_reading_tool_refuses_all_else() -> None:
    outcome = await refusal_of("read_tool", policy="unguarded", name="delete_bounce", arguments=BOUNCE)
    assert "delete_bounce does more than read; call it with call_tool" in outcome.text


async def test_a_wrapped_call_is_decided_and_recorded_as_the_call_itself() -> None:
    mailgun = Recorder()
    async with services_in_search_mode(mailgun) as services:
        outcome = await run(services, "call_tool", {"name": "delete_bounce", "arguments": BOUNCE})
        assert outcome.kind == "refused"
        assert outcome.text.startswith("Pending approval ")
        direct = await run(services, "delete_bounce", BOUNCE)
        assert direct.approval == outcome.approval
        assert mailgun.changes == []
        services.recorder.close()
        assert {call.fields["tool"] for call in services.audit_log.calls()} == {"delete_bounce"}


async def test_arguments_as_json_text_are_taken() -> None:
    mailgun = Recorder()
    async with services_in_search_mode(mailgun) as services:
        await run(services, "read_tool", {"name": "get_bounce", "arguments": json.dumps(BOUNCE)})
    assert mailgun.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("call_tool", {"name": "delete_bonce"}, "did you mean 'delete_bounce'?"),
        ("call_tool", {"name": "call_tool", "arguments": {}}, "unknown tool 'call_tool'"),
        ("call_tool", {"name": "read_tool", "arguments": {}}, "unknown tool 'read_tool'"),
        ("call_tool", {}, "name: is required"),
        ("read_tool", {"name": "get_bounce", "arguments": {"adress": "a"}}, "adress: unknown argument"),
        ("search_tools", {"queries": []}, "queries"),
        ("search_tools", {"queries": ["x"], "toolset": "bounce"}, "did you mean 'bounces'?"),
        ("describe_tools", {"names": ["get_bonce"]}, "did you mean 'get_bounce'?"),
    ],
)
async def test_a_fault_is_named_and_nothing_is_sent(tool: str, arguments: dict[str, Any], message: str) -> None:
    outcome = await refusal_of(tool, **arguments)
    assert outcome.kind == "invalid"
    assert message in outcome.text


async def test_a_tool_that_is_not_offered_stays_out_of_reach() -> None:
    mailgun = Recorder()
    async with recorded_services(mailgun, search_mode=True, exclude=frozenset({"undo_operation"})) as services:
        outcome = await run(services, "call_tool", {"name": "undo_operation", "arguments": {"id": "x"}})
    assert "unknown tool 'undo_operation'" in outcome.text


async def test_a_listed_mode_has_no_wrapper() -> None:
    from mailgun_mcp.errors import UnknownToolError

    async with recorded_services(Recorder()) as services:
        with pytest.raises(UnknownToolError):
            await run(services, "call_tool", {"name": "get_bounce", "arguments": BOUNCE})
