"""The server's own tools: reading on, listing what can be undone, undoing it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, READ_RESULT, offered
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.policy.profiles import profile
from tests.support.calls import run
from tests.support.operations import catalogue
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services
from tests.support.requests import changing
from tests.support.undoing import ADDRESS, NAME, OTHER, Bench, bench

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "result: is required (string)"),
        ({"result": True}, "result: must be a string, not boolean True"),
        ({"result": "x", "offset": -1}, "offset: -1 is less than 0"),
        ({"result": "x", "offset": True}, "offset: must be an integer, not boolean True"),
        ({"result": "x", "ofset": 0}, "ofset: unknown argument; did you mean offset?"),
        (
            {"result": "gone"},
            "result: 'gone' does not exist, or has expired: a long result can be read for one hour, by the caller who "
            "made the call. Make that call again",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_wrong_read_says_what_is_wrong(arguments: dict[str, Any], told: str) -> None:
    outcome = await run(recorded_services(Recorder()), READ_RESULT, arguments)
    faults = f"Nothing was sent: 1 fault in the arguments of read_result.\n- {told}"
    assert outcome == CallResult(faults, kind="invalid")


def test_what_changes_nothing_has_nothing_to_undo() -> None:
    assert list(offered(catalogue())) == list(OWN_TOOLS)
    assert list(offered(catalogue().select(read_only=True))) == [*WORKFLOW_TOOLS, READ_RESULT, "whoami"]
    left = [*WORKFLOW_TOOLS, READ_RESULT, "list_undoable", "whoami"]
    assert list(offered(catalogue(), exclude=["undo_operation"])) == left


async def test_what_can_be_undone_is_listed_the_newest_first() -> None:
    async with bench() as tried:
        first = await tried.made("delete_bounce", {"domain": NAME, "address": OTHER})
        second = await tried.made("delete_allowlist_entry", {"domain": NAME, "value": OTHER})
        told = await tried.made("list_undoable", {})
        assert {item["id"]: (item["tool"], item["what"], item.get("except")) for item in told["items"]} == {
            first["undo"]["id"]: ("delete_bounce", f"bounce {OTHER}", None),
            second["undo"]["id"]: ("delete_allowlist_entry", f"allowlist entry {OTHER}", "the reason and date"),
        }
        assert (await tried.made("list_undoable", {"limit": 1}))["more"] == 1
        await tried.undo(first["undo"]["id"])
        assert [item["id"] for item in (await tried.made("list_undoable", {}))["items"]] == [second["undo"]["id"]]


CLEARED = ("clear_bounces", {"domain": NAME})
ADDED = ("add_bounces", {"domain": NAME, "bounces": [{"address": "new@x.example"}]})


@pytest.mark.parametrize(
    ("rules", "call", "said"),
    [
        pytest.param("extends: guarded", CLEARED, "", id="putting back is a write, which guarded allows"),
        pytest.param("extends: guarded", ADDED, "it removes or overwrites something", id="taking back removes"),
        pytest.param(
            "extends: strict",
            CLEARED,
            "Asked because add_bounces: everything except a read is confirmed",
            id="strict asks",
        ),
        pytest.param(
            "extends: guarded\nrules: [{match: {tool: undo_operation}, decision: confirm, reason: undo is asked}]",
            CLEARED,
            "Asked because undo is asked",
            id="a rule about undo itself",
        ),
    ],
)
async def test_an_undo_is_decided_on_with_each_call_that_it_makes(rules: str, call: Any, said: str) -> None:
    async with bench() as tried:
        undo = (await tried.made(*call))["undo"]["id"]
        guarded = Bench(tried.account, tried.mailgun, replace(tried.services, policy=policy(rules)))
        assert (await guarded.undo(undo))["not_put_back"] == []
        assert [said in text for text in guarded.person.asked] == ([True] if said else [])


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            "extends: unguarded\nrules: [{match: {tool: add_bounces}, decision: deny, reason: no bounces}]",
            "add_bounces: no bounces",
        ),
        (
            f"extends: unguarded\nrules: [{{match: {{domain: {NAME}}}, decision: deny, reason: production}}]",
            "add_bounces: production",
        ),
        ("extends: unguarded\nrules: [{match: {tool: undo_*}, decision: deny, reason: no undo}]", "no undo"),
        ("extends: read-only", "the policy read-only allows reads only"),
    ],
)
async def test_what_a_call_of_it_may_not_do_the_undo_may_not(rules: str, told: str) -> None:
    async with bench() as tried:
        undo = (await tried.made(*CLEARED))["undo"]["id"]
        sent = len(changing(tried.mailgun.lines))
        services = replace(tried.services, policy=policy(rules))
        outcome = await run(services, "undo_operation", {"id": undo})
        assert (outcome.kind, told in outcome.text) == ("refused", True), outcome.text
        assert len(changing(tried.mailgun.lines)) == sent


async def test_an_undo_uses_no_tool_that_the_server_does_not_offer() -> None:
    async with bench() as tried:
        undo = (await tried.made(*CLEARED))["undo"]["id"]
        services = replace(
            tried.services, catalogue=catalogue().select(exclude=["add_bounces"]), full_catalogue=catalogue()
        )
        outcome = await run(services, "undo_operation", {"id": undo})
        assert outcome.kind == "refused"
        assert "it needs add_bounces, which this server does not offer" in outcome.text


async def test_a_person_is_shown_what_an_undo_does() -> None:
    async with bench() as tried:
        undo = (await tried.made("delete_mailing_list", {"list_address": ADDRESS}))["undo"]["id"]
        strict = Bench(tried.account, tried.mailgun, replace(tried.services, policy=profile("strict")))
        await strict.undo(undo)
        (shown,) = strict.person.asked
        assert re.sub("key [0-9a-f]{8}", "key KEY", shown).splitlines() == [
            f"Undo a call: {undo}.",
            "Risk: destructive.",
            "Account us (key KEY, https://api.mailgun.net), region US, called by local",
            "Nothing is lost: it puts things back as they were before the call.",
            "Asked because bulk_add_mailing_list_members: everything except a read is confirmed (strict/changes).",
            f"To confirm, type: {undo}",
            "Undoes delete_mailing_list of 2026-11-18T11:06:40Z (1 mailing list, 2 list members).",
            f"- put back mailing list {ADDRESS} (create_mailing_list)",
            f"- put back list member {ADDRESS}, list member {OTHER} (bulk_add_mailing_list_members)",
            f"UNDO {undo}",
            f"  id: {undo}",
        ]


async def test_an_undo_and_each_of_its_calls_are_recorded() -> None:
    async with bench() as tried:
        undo = (await tried.made("delete_mailing_list", {"list_address": ADDRESS}))["undo"]["id"]
        await tried.undo(undo)
        tried.services.recorder.close()
        calls = {call.fields["tool"]: call for call in tried.services.audit_log.calls()}
        assert list(calls) == [
            "delete_mailing_list",
            "undo_operation",
            "create_mailing_list",
            "bulk_add_mailing_list_members",
        ]
        assert {call.fields.get("undoes") for call in calls.values()} == {None, undo}
        assert {call.outcome for call in calls.values()} == {"done"}
        assert calls["create_mailing_list"].fields["decision"]["reason"] == f"part of {calls['undo_operation'].id}"
