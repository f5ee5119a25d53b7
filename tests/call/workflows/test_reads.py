"""The calls of a workflow: at the same time, with one fence, and each with its source."""

from typing import Any

import anyio
import pytest

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.workflows.reads import LONGEST_REASON, Reads, plain
from mailgun_mcp.catalogue.workflow_tools import MOST_DOMAINS
from mailgun_mcp.confirm.caller import Caller
from tests.support.calls import begun
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


def reads(answers: dict[str, CallResult]) -> Reads:
    async def run(tool: str, _: dict[str, Any], __: Caller) -> CallResult:
        return answers[tool]

    return Reads(begun(recorded_services(Recorder()), "get_domain", {"domain": "x.example"}), run)


def fenced(boundary: str) -> CallResult:
    return CallResult("", {"untrusted_text": {"boundary": boundary}, "said": f"⟦{boundary} sender⟧ hello ⟦{boundary}⟧"})


async def test_several_fences_become_one() -> None:
    made = reads({"list_bounces": fenced("aaaaaaaa"), "query_logs": fenced("bbbbbbbb")})
    read = await made.all({"a": ("list_bounces", {}), "b": ("query_logs", {})})
    assert read["a"].result["said"] == read["b"].result["said"]
    answer = made.with_notice({"said": read["b"].result["said"]})
    assert answer["said"].startswith(f"⟦{answer['untrusted_text']['boundary']} sender⟧")
    assert "untrusted_text" not in made.with_notice({"said": "nothing of theirs"})


async def test_a_call_that_fails_is_said_and_one_that_finds_nothing_is_empty() -> None:
    made = reads(
        {
            "list_ips": CallResult("x" * 400 + " ⟦aaaaaaaa sender⟧ hello ⟦aaaaaaaa⟧", kind="failed"),
            "get_bounce": CallResult("Not found at Mailgun (HTTP 404)", kind="failed"),
        }
    )
    read = await made.all({"ips": ("list_ips", {}), "bounce": ("get_bounce", {})})
    assert [(each["tool"], len(each["why"]) <= LONGEST_REASON + 2) for each in made.not_read] == [("list_ips", True)]
    assert (read["ips"].answered, read["bounce"].answered, made.answered) == (False, True, 1)


async def test_a_tool_that_is_not_offered_is_not_called() -> None:
    made = reads({})
    await made.all({"x": ("list_faxes", {})})
    assert made.not_read == [{"tool": "list_faxes", "why": "this server does not offer it"}]
    assert made.sources == {}


async def test_what_ten_domains_need_is_read_in_one_round_trip() -> None:
    started, all_started = 0, anyio.Event()

    async def run(_: str, __: dict[str, Any], ___: Caller) -> CallResult:
        nonlocal started
        started += 1
        if started == 4 * MOST_DOMAINS:
            all_started.set()
        await all_started.wait()
        return CallResult("", {})

    made = Reads(begun(recorded_services(Recorder()), "get_domain", {"domain": "x.example"}), run)
    with anyio.fail_after(60):
        read = await made.all({str(number): ("list_bounces", {}) for number in range(4 * MOST_DOMAINS)})
    assert len(read) == started == 4 * MOST_DOMAINS


def test_plain_text_has_no_fences() -> None:
    assert plain("⟦aaaaaaaa receiving server⟧ 5.1.1 unknown ⟦aaaaaaaa⟧").strip() == "5.1.1 unknown"
    assert plain(None) == ""
