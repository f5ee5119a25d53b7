"""The approvals API: what it answers fits its document, whoever may not answer is told why, and nothing breaks it."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.web.approvals.api import ApprovalsApi
from mailgun_mcp.web.approvals.changes import ApprovalChanges
from mailgun_mcp.web.approvals.openapi import document
from mailgun_mcp.web.principal import with_principal
from tests.support.pages import pending
from tests.support.team import bearer, team_server, token_of

pytestmark = pytest.mark.anyio
NAME = "mail.example.com"
API = "/api/approvals"


@pytest.fixture
def ben(services: Services) -> dict[str, str]:
    return token_of(services, "ben", "approve")


@pytest.fixture
def bot(services: Services) -> dict[str, str]:
    return token_of(services, "bot", "approve", relay=True)


@pytest.fixture
async def client(services: Services, ben: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with team_server(services, loopback=True) as client:
        yield client


def fits(answer: httpx.Response, path: str, method: str = "get") -> Any:
    """Return the JSON of an answer, once it is what the document says of its status."""
    described = document()["paths"][path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document()["components"]}).validate(answer.json())
    return answer.json()


async def test_approvals_are_listed_and_read_with_all_arguments(
    client: httpx.AsyncClient, services: Services, ben: dict[str, str]
) -> None:
    first, second = pending(services), pending(services, request="other")
    services.approvals.deny(second.id, by="kim", now=services.clock(), reason="no")
    listed = fits(await client.get(API, headers=ben), API)
    assert [one["id"] for one in listed["approvals"]] == [first.id]
    every = fits(await client.get(API, params={"status": "all"}, headers=ben), API)
    assert {one["id"] for one in every["approvals"]} == {first.id, second.id}
    shown = fits(await client.get(f"{API}/{second.id}", headers=ben), f"{API}/{{id}}")
    assert shown == services.approvals.get(second.id, services.clock()).full_record
    assert fits(await client.get("/api/openapi.json", headers=ben), "/api/openapi.json") == document()


async def test_an_answer_is_given_once_and_the_second_is_told_so(
    client: httpx.AsyncClient, services: Services, ben: dict[str, str]
) -> None:
    approval = pending(services)
    path, url = f"{API}/{{id}}/approve", f"{API}/{approval.id}/approve"
    wrong = fits(await client.post(url, json={"typed": "x"}, headers=ben), path, "post")
    assert wrong["error"]["code"] == "refused"
    assert "Wrong name" in wrong["error"]["message"]
    answered = fits(await client.post(url, json={"typed": NAME}, headers=ben), path, "post")
    assert (answered["status"], answered["answers"][0]["by"]) == ("approved", "ben")
    again = await client.post(url, json={"typed": NAME}, headers=ben)
    assert (again.status_code, "already been approved" in again.text) == (409, True)
    denied = await client.post(f"{API}/{approval.id}/deny", json={"reason": "wait"}, headers=ben)
    assert fits(denied, f"{API}/{{id}}/deny", "post")["answers"][-1]["reason"] == "wait"


async def test_a_token_that_relays_says_for_whom_and_both_are_recorded(
    client: httpx.AsyncClient, services: Services, bot: dict[str, str], ben: dict[str, str]
) -> None:
    approval = pending(services, "approval")
    url, yes = f"{API}/{approval.id}/approve", {"typed": NAME}
    nobody = await client.post(url, json=yes, headers=bot)
    assert (nobody.status_code, "say whose answer" in nobody.text) == (400, True)
    for name in ("", "  ", "a\nb", "x" * 201):
        assert (await client.post(url, json={**yes, "on_behalf_of": name}, headers=bot)).status_code == 400
    stranger = await client.post(url, json={**yes, "on_behalf_of": "kim"}, headers=ben)
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (403, "not_a_relay")
    asker = await client.post(url, json={**yes, "on_behalf_of": "ann"}, headers=bot)
    assert (asker.status_code, "somebody else must approve" in asker.text) == (409, True)
    answered = fits(
        await client.post(url, json={**yes, "on_behalf_of": "kim"}, headers=bot), f"{API}/{{id}}/approve", "post"
    )
    assert answered["answers"] == [{**answered["answers"][0], "by": "kim", "relayed_by": "bot", "yes": True}]
    (call,) = services.audit_log.calls()
    assert (call.fields["principal"], call.fields["arguments"]["on_behalf_of"]) == ("bot", "kim")


async def test_the_channel_of_the_model_answers_nothing(client: httpx.AsyncClient, services: Services) -> None:
    approval = pending(services, "ask", principal="ci")
    own = token_of(services, "ci", "read write destructive approve")
    relay = token_of(services, "chat", "read destructive approve", relay=True)
    through_relay = pending(services, "ask", principal="chat", request="other")
    url = f"{API}/{approval.id}/approve"
    answers = [
        await client.post(url, headers=own),
        await client.post(url, headers=bearer(start_token(services.state))),
        await client.post(url, headers=token_of(services, "eve", "read write")),
        await client.post(url),
        await client.post(f"{API}/{through_relay.id}/approve", json={"on_behalf_of": "kim"}, headers=relay),
    ]
    assert [answer.status_code for answer in answers] == [409, 403, 403, 401, 409]
    assert all(answer.json()["error"]["message"] for answer in answers)
    assert {one.status for one in services.approvals.list(services.clock())} == {"pending"}
    listed = await client.get(API, headers=bearer(start_token(services.state)))
    assert (listed.status_code, "tokens new" in listed.text) == (403, True)


async def test_a_program_waits_for_the_answer_and_for_the_next_call(
    client: httpx.AsyncClient, services: Services, ben: dict[str, str]
) -> None:
    approval = pending(services)
    state = (await client.get(API, headers=ben)).json()["state"]
    answers: dict[str, Any] = {}

    async def wait(name: str, path: str, **params: str) -> None:
        answers[name] = (await client.get(path, params=params, headers=ben)).json()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: wait("one", f"{API}/{approval.id}/wait", seconds="20"))
            tasks.start_soon(lambda: wait("any", f"{API}/wait", seconds="20", state=state, status="all"))
            await anyio.wait_all_tasks_blocked()
            services.approvals.deny(approval.id, by="kim", now=services.clock())
    assert answers["one"]["status"] == "denied"
    assert [one["status"] for one in answers["any"]["approvals"]] == ["denied"]
    at_once = await client.get(f"{API}/{pending(services).id}/wait", params={"seconds": "0"}, headers=ben)
    assert at_once.json()["status"] == "pending"


async def test_what_is_not_there_or_not_theirs_is_not_found(
    client: httpx.AsyncClient, services: Services, ben: dict[str, str]
) -> None:
    approval = pending(services)
    elsewhere = token_of(services, "kim", "approve", accounts=("staging",))
    for path, headers in ((f"{API}/none", ben), (f"{API}/{approval.id}", elsewhere)):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, fits(answer, f"{API}/{{id}}")["error"]["code"]) == (404, "not_found")
    assert (await client.get(API, headers=elsewhere)).json()["approvals"] == []
    assert (await client.get("/api/nothing", headers=ben)).json()["error"]["code"] == "not_found"
    assert (await client.delete(API, headers=ben)).json()["error"]["code"] == "method_not_allowed"


async def test_a_state_that_cannot_be_read_is_said_without_its_path(
    client: httpx.AsyncClient, services: Services, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailgun_mcp.errors import StateError

    def fail(*_: object) -> None:
        raise StateError(f"the state in {services.state} cannot be used")

    monkeypatch.setattr(type(services.approvals), "list", fail)
    answer = await client.get(API, headers=ben)
    assert (answer.status_code, str(services.state) in answer.text) == (503, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.dictionaries(st.sampled_from(["typed", "reason", "on_behalf_of", "x"]), JSON, max_size=3)
WORDS = st.binary(min_size=1, max_size=20).map(quote)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["", "/{id}", "/{id}/approve", "/{id}/deny", "/{id}/wait", "/wait"]),
    name=WORDS,
    method=st.sampled_from(["GET", "POST"]),
    body=st.binary(max_size=50) | FIELDS.map(lambda value: json.dumps(value).encode()),
    query=st.dictionaries(st.sampled_from(["status", "state", "x"]), st.text(max_size=10), max_size=3),
)
@example(path="/{id}", name="/", method="GET", body=b"", query={})
async def test_bad_input_on_every_route_gets_a_clear_error(
    services: Services, path: str, name: str, method: str, body: bytes, query: Mapping[str, str]
) -> None:
    inner = ApprovalsApi(services, ApprovalChanges(services.store, services.approvals, services.clock)).app()
    kim = Principal("kim", access=Access(parse_scopes(["approve"])))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inner(with_principal(scope, kim), receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        url = httpx.URL(f"http://localhost{API}{path.replace('{id}', name)}", params={**query, "seconds": "0"})
        answer = await client.request(method, url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 404, 405), answer.text
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    "query", ["?limit=5", "/wait?second=1", "/none?x=1", "/none/wait?state=x", "?status=all&status=used"]
)
async def test_a_parameter_that_a_route_does_not_have_is_refused(
    client: httpx.AsyncClient, ben: dict[str, str], query: str
) -> None:
    answer = await client.get(f"{API}{query}", headers=ben)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert "parameter" in answer.json()["error"]["message"].lower()
