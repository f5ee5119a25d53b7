"""The scopes that a call lacks are known before anything of it is done, also for a call inside a call."""

from typing import Any

import pytest

from mailgun_mcp.call.scopes import missing_scopes
from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS
from mailgun_mcp.identity.access import Access, parse_scopes
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio
STOPPING = {"expression": "catch_all()", "priority": 1, "action": ["stop()"]}

CASES: dict[str, tuple[str, Any, set[str]]] = {
    "a read": ("get_domain", {"name": "x.example"}, set()),
    "a send": ("send_message", {}, {"mailgun:send"}),
    "a former name": ("list_dynamic_pool_assignable_domains", {}, set()),
    "a write": ("create_route", {"action": ["store()"]}, {"mailgun:write"}),
    "a write whose arguments raise it": ("create_route", STOPPING, {"mailgun:destructive"}),
    "arguments as a client distorts them": ("create_route", {"action": '["stop()"]'}, {"mailgun:destructive"}),
    "arguments that are no object": ("send_message", ["x"], {"mailgun:send"}),
    "no arguments": ("send_message", None, {"mailgun:send"}),
    "a call of a call": ("call_tool", {"name": "create_route", "arguments": STOPPING}, {"mailgun:destructive"}),
    "a call of a call as text": ("call_tool", {"name": "send_message", "arguments": "{}"}, {"mailgun:send"}),
    "a read of a call": ("read_tool", {"name": "get_domain", "arguments": {}}, set()),
    "a call of nothing": ("call_tool", {}, set()),
    "an unknown tool": ("no_such_tool", {}, set()),
    "an undo": ("undo_operation", {"id": "x"}, {"mailgun:write"}),
}


@pytest.mark.parametrize(("tool", "arguments", "missing"), CASES.values(), ids=CASES)
async def test_a_reader_lacks_the_scope_of_what_does_more(tool: str, arguments: Any, missing: set[str]) -> None:
    services = recorded_services(Recorder(), search_mode=tool in ("call_tool", "read_tool"))
    assert await missing_scopes(services, Access(parse_scopes(["read"])), tool, arguments) == missing


async def test_without_any_scope_even_a_read_lacks_one() -> None:
    services = recorded_services(Recorder())
    for tool in ("get_domain", *(name for name in BUILTIN_TOOLS if name not in ("undo_operation", "whoami"))):
        assert await missing_scopes(services, Access(frozenset()), tool, {}) == {"mailgun:read"}
