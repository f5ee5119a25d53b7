"""AG-UI 1.0: what the protocol demands of interrupt and resume, and its own client against a real server."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.agents import agent_process, agent_server, events_of, interrupts, message, resume
from tests.support.chats import DOMAIN

pytestmark = pytest.mark.anyio


async def test_a_run_is_framed_and_its_texts_and_calls_are_whole() -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("hello"), headers=ann))
        assert [event["type"] for event in events][:2] == ["RUN_STARTED", "TEXT_MESSAGE_START"]
        assert "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT") == "Hello to you."
        assert events[-1]["type"] == "RUN_FINISHED"
        assert events[-1]["outcome"] == {"type": "success"}
        assert {event["runId"] for event in events if "runId" in event} == {"r1"}


async def test_an_interrupt_says_everything_that_a_person_needs() -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("clear"), headers=ann))
        (asked,) = interrupts(events)
        assert asked["reason"] == "tool_call"
        assert f"To confirm, type: {DOMAIN}" in asked["message"]
        assert asked["expiresAt"].endswith("Z")
        assert asked["toolCallId"] in [
            event.get("toolCallId") for event in events if event["type"] == "TOOL_CALL_START"
        ]
        assert set(asked["responseSchema"]["properties"]) == {"approved", "typed", "reason"}
        assert asked["metadata"]["level"] == "typed"


async def test_a_resume_continues_with_a_yes_and_with_a_no() -> None:
    async with agent_server() as (client, ann, _):
        answers: list[tuple[str, dict[str, Any], str]] = [
            ("one", {"approved": True, "typed": DOMAIN}, "Cleared."),
            ("two", {"approved": False, "reason": "not today"}, "I leave it."),
        ]
        for thread, payload, said in answers:
            events = events_of(await client.post("/agent/agui", json=message("clear", thread=thread), headers=ann))
            body = resume(interrupts(events)[0]["id"], thread=thread, **payload)
            after = events_of(await client.post("/agent/agui", json=body, headers=ann))
            text = "".join(event["delta"] for event in after if event["type"] == "TEXT_MESSAGE_CONTENT")
            assert text == said
            assert (
                next(event["name"] for event in after if event["type"] == "CUSTOM") == "mailgun-mcp/approval_answered"
            )


async def test_a_cancelled_interrupt_is_a_no() -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("clear"), headers=ann))
        body = resume(interrupts(events)[0]["id"], status="cancelled")
        after = events_of(await client.post("/agent/agui", json=body, headers=ann))
        assert "I leave it." in "".join(event.get("delta", "") for event in after)


async def test_new_input_is_refused_while_interrupts_are_open() -> None:
    async with agent_server() as (client, ann, _):
        await client.post("/agent/agui", json=message("clear"), headers=ann)
        events = events_of(await client.post("/agent/agui", json=message("yes, do it", run="r2"), headers=ann))
        assert [event["type"] for event in events] == ["RUN_STARTED", "RUN_ERROR"]
        assert events[-1]["code"] == "WAITING"


async def test_the_same_resume_twice_makes_the_call_once() -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("clear"), headers=ann))
        body = resume(interrupts(events)[0]["id"], approved=True, typed=DOMAIN)
        first = events_of(await client.post("/agent/agui", json=body, headers=ann))
        again = events_of(await client.post("/agent/agui", json=body, headers=ann))
        texts = ["".join(event.get("delta", "") for event in each) for each in (first, again)]
        assert texts == ["Cleared.", "Cleared."]
        other = events_of(await client.post("/agent/agui", json={**body, "runId": "r3"}, headers=ann))
        assert other[-1]["type"] == "RUN_ERROR"
        log = (await client.get("/agent/conversations/t/events", headers=ann)).text
        assert log.count('"kind":"tool_finished"') == 1


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"approved": True, "typed": DOMAIN, "editedArgs": {"domain": "other.example.com"}}, "cannot be edited"),
        ({"approved": 1, "typed": DOMAIN}, "true or false"),
        ({"typed": DOMAIN}, "true or false"),
        ({"approved": True}, "type the name"),
        ({"approved": True, "typed": "other.example.com"}, "type the name"),
        ({"approved": True, "typed": DOMAIN, "reason": "no"}, "says yes and gives a reason"),
        ({"approved": True, "typed": 3}, "must be text"),
    ],
)
async def test_a_payload_that_is_not_a_persons_exact_answer_is_an_error(payload: dict[str, Any], said: str) -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("clear"), headers=ann))
        body = resume(interrupts(events)[0]["id"], **payload)
        refused = events_of(await client.post("/agent/agui", json=body, headers=ann))
        assert refused[-1]["type"] == "RUN_ERROR"
        assert said in refused[-1]["message"]
        one = (await client.get("/agent/conversations/t", headers=ann)).json()
        assert one["status"] == "waiting"


async def test_a_resume_answers_all_open_interrupts_once() -> None:
    async with agent_server() as (client, ann, _):
        events = events_of(await client.post("/agent/agui", json=message("clear"), headers=ann))
        name = interrupts(events)[0]["id"]
        entry = {"interruptId": name, "status": "cancelled"}
        for entries, said in (([entry, entry], "twice"), ([{**entry, "interruptId": "zz"}], f"Missing: {name}")):
            body = {**resume(name), "resume": entries}
            refused = events_of(await client.post("/agent/agui", json=body, headers=ann))
            assert said in refused[-1]["message"]


CLIENT = """
import { HttpAgent } from '@ag-ui/client';
const agent = new HttpAgent({ url: process.argv[2], threadId: 'node', headers: { Authorization: process.argv[3] } });
let finished;
const watch = { onRunFinishedEvent: ({ event }) => { finished = event; } };
agent.messages = [{ id: 'm1', role: 'user', content: 'clear' }];
await agent.runAgent({ runId: 'one' }, watch);
const asked = finished.outcome.interrupts[0];
const typed = asked.metadata.typed;
await agent.runAgent(
  { runId: 'two', resume: [{ interruptId: asked.id, status: 'resolved', payload: { approved: true, typed } }] }, watch);
console.log(JSON.stringify({ outcome: finished.outcome.type, messages: agent.messages.map(m => [m.role, m.content]) }));
"""


COPILOTKIT = """
import { CopilotKitCore } from '@copilotkit/core';
import { HttpAgent } from '@ag-ui/client';
const agent = new HttpAgent({ url: process.argv[2], threadId: 'core', headers: { Authorization: process.argv[3] } });
const core = new CopilotKitCore({ agents__unsafe_dev_only: { default: agent } });
const faults = [];
core.subscribe({ onError: ({ error }) => { faults.push(String(error)); } });
agent.addMessage({ id: 'm1', role: 'user', content: 'clear' });
await core.runAgent({ agent });
const [asked] = agent.pendingInterrupts;
const payload = { approved: true, typed: asked.metadata.typed };
await core.runAgent({ agent, resume: [{ interruptId: asked.id, status: 'resolved', payload }] });
agent.addMessage({ id: 'm2', role: 'user', content: 'hello' });
await core.runAgent({ agent });
console.log(JSON.stringify({ faults, messages: agent.messages.map(m => [m.role, m.content]) }));
"""
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "agent.md"


@pytest.mark.slow
async def test_the_protocols_own_client_asks_resumes_and_shows_the_answer(tmp_path: Path) -> None:
    node = await _installed(tmp_path, "@ag-ui/client@1.0.0")
    (tmp_path / "client.mjs").write_text(CLIENT, encoding="utf-8")
    async with agent_process(tmp_path) as (url, authorization):
        done = await _run(node, str(tmp_path / "client.mjs"), f"{url}/agent/agui", authorization)
    said = json.loads(done)
    assert said["outcome"] == "success"
    assert said["messages"][-1] == ["assistant", "Cleared."]


@pytest.mark.slow
async def test_the_program_in_the_guide_makes_a_change_that_the_person_approves(tmp_path: Path) -> None:
    node = await _installed(tmp_path, "@ag-ui/client@1.0.0")
    program = GUIDE.read_text(encoding="utf-8").partition("```js\n")[2].partition("```")[0]
    (tmp_path / "first.mjs").write_text(program, encoding="utf-8")
    async with agent_process(tmp_path) as (url, authorization):
        own = {**os.environ, "SERVER": url, "TOKEN": authorization.removeprefix("Bearer ")}
        done = await _run(node, str(tmp_path / "first.mjs"), typed=f"{DOMAIN}\n", env=own)
    assert f"Type {DOMAIN} to allow it: " in done
    assert done.endswith("Cleared.\n")


@pytest.mark.slow
async def test_copilotkit_asks_resumes_and_goes_on(tmp_path: Path) -> None:
    """CopilotKit comes with an older client of the protocol."""
    node = await _installed(tmp_path, "@copilotkit/core@1.75.0")
    (tmp_path / "core.mjs").write_text(COPILOTKIT, encoding="utf-8")
    async with agent_process(tmp_path) as (url, authorization):
        done = await _run(node, str(tmp_path / "core.mjs"), f"{url}/agent/agui", authorization)
    seen = json.loads(done)
    assert seen["faults"] == []
    assert [role for role, _ in seen["messages"]] == ["user", "assistant", "tool", "assistant", "user", "assistant"]
    assert [content for role, content in seen["messages"] if role == "assistant"][1:] == ["Cleared.", "Hello to you."]


async def _installed(folder: Path, package: str) -> str:
    """Install a package from npm, and return the path of node."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed")
    wanted = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), package]
    if (await anyio.run_process(wanted, check=False)).returncode:
        pytest.skip("npm cannot reach its registry")
    return node


async def _run(*words: str, typed: str = "", env: Mapping[str, str] | None = None) -> str:
    done = await anyio.run_process(list(words), check=False, input=typed.encode(), env=env)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


async def test_a_body_that_is_not_json_is_said_in_one_phrase() -> None:
    async with agent_server() as (client, ann, _):
        answer = await client.post("/agent/agui", content=b"{", headers=ann)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "The body cannot be read: it is not valid JSON (line 1, column 2)."
        for body, fault in (({}, "threadId is missing"), ([], "the body should be an object")):
            answer = await client.post("/agent/agui", json=body, headers=ann)
            assert answer.json()["error"]["message"] == f"This is not the input of an AG-UI run: {fault}"
