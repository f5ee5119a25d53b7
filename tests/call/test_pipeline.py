"""One call through all its stages, against a stub that records what left."""

import json
from typing import Any

import pytest

from mailgun_mcp.call.results import CallResult, Results
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import UnknownToolError
from mailgun_mcp.output.untrusted import NOTICE, notice
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import shell_command
from tests.support.apps import KEY, close_opened, services_at
from tests.support.arguments import minimal
from tests.support.calls import LOCAL_USER, run
from tests.support.operations import catalogue, find
from tests.support.requests import changing
from tests.support.upstream import Upstream, replies, says

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
HELD = [operation.name for operation in catalogue() if operation.risk in ("destructive", "credential", "billing")]


async def test_a_call_is_sent_once_and_its_answer_is_the_result(upstream: Upstream) -> None:
    body = {"address": "ann@example.com", "code": "550", "created_at": "Mon, 23 Nov 2026 09:00:00 UTC"}
    upstream.then(says(body))
    outcome = await run(services_at(upstream.url), "get_bounce", BOUNCE)
    shown = {"listed": True, **body, "created_at": "2026-11-23T09:00:00Z"}
    assert outcome == CallResult(
        '{"listed":true,"address":"ann@example.com","code":"550","created_at":"2026-11-23T09:00:00Z"}',
        shown,
    )
    assert upstream.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]


async def test_wrong_arguments_are_all_told_and_nothing_is_sent(upstream: Upstream) -> None:
    outcome = await run(services_at(upstream.url), "get_bounce", {"domain": "mg", "adress": "x"})
    assert outcome == CallResult(
        "Nothing was sent: 3 faults in the arguments of get_bounce.\n"
        "- address: is required (string)\n"
        "- adress: unknown argument; did you mean address?\n"
        "- domain: 'mg' is not a domain name: it has no dot",
        kind="invalid",
    )
    assert upstream.received == []


async def test_what_a_client_distorted_is_sent_and_approved_as_what_it_meant(upstream: Upstream) -> None:
    services = services_at(upstream.url)
    await run(services, "list_bounces", {"domain": "mg.example.com", "limit": "5", "term": None})
    assert upstream.lines == ["GET /v3/mg.example.com/bounces?limit=5"]
    for arguments in ({"webhook_ids": ["a"]}, {"webhook_ids": '["a"]', "all": None}):
        await run(services, "bulk_delete_account_webhooks", arguments)
    (pending,) = services.approvals.list(services.clock())
    assert pending.tool == "bulk_delete_account_webhooks"


async def test_an_unknown_tool_is_an_error_that_names_the_nearest(upstream: Upstream) -> None:
    with pytest.raises(UnknownToolError, match=r"^unknown tool 'get_bounces': did you mean 'get_bounce'\?$"):
        await run(services_at(upstream.url), "get_bounces", {})


async def test_what_needs_a_confirmation_waits_for_approval_where_nobody_can_be_asked(upstream: Upstream) -> None:
    wrong = {}
    for name in HELD:
        upstream.forget()
        services = services_at(upstream.url)
        outcome = await run(services, name, minimal(find(name)))
        (approval,) = services.approvals.list(services.clock())
        seen = (
            (outcome.kind, outcome.structured),
            outcome.text.startswith(f"Pending approval {approval.id}; nothing was sent. "),
            (approval.tool, approval.status, approval.principal),
            changing(upstream.lines),
        )
        if seen != (("refused", None), True, (name, "pending", "local"), []):
            wrong[name] = (seen, outcome.text)
        close_opened()
    assert wrong == {}


async def test_a_pending_call_says_what_a_person_can_do_and_what_happens_then(upstream: Upstream) -> None:
    services = services_at(upstream.url)
    outcome = await run(services, "delete_bounce", BOUNCE)
    (approval,) = services.approvals.list(services.clock())
    assert outcome.text == (
        f"Pending approval {approval.id}; nothing was sent. A person runs "
        f"`{shell_command('approvals', 'approve', approval.id, state=services.state)}` in a terminal, which shows the call "
        "first. After that, make exactly the same call again: it runs once. The approval expires in 10 minutes."
    )
    assert upstream.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]


async def test_where_people_reach_the_server_a_pending_call_names_the_page_of_its_approval(upstream: Upstream) -> None:
    services = services_at(upstream.url, public_url="https://mail.example.com/admin/")
    outcome = await run(services, "delete_bounce", BOUNCE)
    (approval,) = services.approvals.list(services.clock())
    assert f"A person opens https://mail.example.com/admin/approvals/{approval.id} or runs `" in outcome.text


async def test_a_refusal_says_why_what_it_would_have_been_and_that_no_yes_lifts_it(upstream: Upstream) -> None:
    outcome = await run(services_at(upstream.url, policy=profile("read-only")), "delete_bounce", BOUNCE)
    assert outcome == CallResult(
        "Refused by policy (read-only/otherwise): the policy read-only allows reads only. "
        "Nothing was sent. The request would have been DELETE /v3/mg.example.com/bounces/ann%40example.com. "
        "A confirmation cannot override this; the person who runs the server can change its policy.",
        kind="refused",
    )
    assert upstream.received == []


@pytest.mark.parametrize(
    ("policy", "sent"),
    [("read-only", []), ("guarded", ["GET"]), ("strict", ["GET"]), ("unguarded", ["GET", "DELETE"])],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_policy_decides_whether_a_destructive_call_leaves(
    policy: str, sent: list[str], upstream: Upstream
) -> None:
    await run(services_at(upstream.url, policy=profile(policy)), "delete_bounce", BOUNCE)
    assert [request.method for request in upstream.received] == sent


async def test_faults_are_told_before_the_policy_refuses(upstream: Upstream) -> None:
    outcome = await run(services_at(upstream.url), "delete_bounce", {})
    assert outcome.kind == "invalid"


async def test_a_fault_of_mailguns_becomes_a_sentence_and_a_next_step(upstream: Upstream) -> None:
    upstream.then(says({"message": "Tag not found"}, 404))
    outcome = await run(services_at(upstream.url), "get_bounce", BOUNCE)
    assert outcome == CallResult(
        'Not found at Mailgun (HTTP 404): "Tag not found". '
        "Check the name or id. Something that was just created can take a moment to appear.",
        kind="failed",
    )


async def test_a_read_is_tried_again_and_each_wait_is_told(upstream: Upstream) -> None:
    upstream.then(replies(503, b"busy", [("Retry-After", "0")]), says({"address": "ann@example.com"}))
    told: list[str] = []

    async def notify(message: str) -> None:
        told.append(message)

    outcome = await run(services_at(upstream.url), "get_bounce", BOUNCE, Caller(LOCAL_USER, notify=notify))
    assert outcome.structured == {"listed": True, "address": "ann@example.com"}
    assert len(upstream.received) == 2
    assert [message.partition(";")[0] for message in told] == ['Mailgun failed (HTTP 503): "busy"']


async def test_a_send_is_never_sent_twice(upstream: Upstream) -> None:
    upstream.then(replies(503, b"busy", [("Retry-After", "0")]))
    outcome = await run(services_at(upstream.url), "send_message", minimal(find("send_message")))
    assert outcome.kind == "failed"
    assert len(upstream.received) == 1


async def test_the_configured_subaccount_goes_with_every_call(upstream: Upstream) -> None:
    await run(services_at(upstream.url, subaccount="sub1"), "get_bounce", BOUNCE)
    assert upstream.received[0].headers["x-mailgun-on-behalf-of"] == "sub1"


async def test_a_long_result_is_cut_and_read_on_by_the_tool(upstream: Upstream) -> None:
    body = {"items": [{"address": f"person{number}@example.com", "code": '"\\' * 50} for number in range(100)]}
    upstream.then(says(body))
    services = services_at(upstream.url, results=Results(limit=2_000))
    outcome = await run(services, "list_bounces", {"domain": "mg.example.com"})
    assert outcome.structured is not None
    following: dict[str, Any] | None = {"result": outcome.structured["cut"]["read_on"].split("'")[1]}
    text = ""
    while following:
        part = (await run(services, "read_result", following)).structured
        assert part is not None
        text, following = text + part["text"], part["next"]
    assert json.loads(text) == body
    assert len(upstream.received) == 1


async def test_what_third_parties_wrote_is_fenced_and_the_fence_explained(upstream: Upstream) -> None:
    upstream.then(says({"address": "ann@example.com", "error": "no such user"}))
    outcome = await run(services_at(upstream.url), "get_bounce", BOUNCE)
    assert outcome.structured is not None
    boundary = outcome.structured[NOTICE]["boundary"]
    assert outcome.structured == {
        "listed": True,
        NOTICE: notice(boundary),
        "address": "ann@example.com",
        "error": f"⟦{boundary} receiving server⟧ no such user ⟦{boundary}⟧",
    }


async def test_the_key_never_appears_in_a_result(upstream: Upstream) -> None:
    upstream.then(says({"error": f"key {KEY}"}), says({"message": f"bad key {KEY}"}, 400))
    services = services_at(upstream.url)
    outcomes = [await run(services, "get_bounce", BOUNCE) for _ in range(2)]
    assert [KEY in outcome.text for outcome in outcomes] == [False, False]
    assert ["[API key withheld]" in outcome.text for outcome in outcomes] == [True, True]
