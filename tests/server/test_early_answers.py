"""What is answered before the SDK is imported is what the SDK answers, byte for byte; all else is left to it."""

import json
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_answers import LEGACY, EarlyAnswers
from mailgun_mcp.server.plain_messages import MODERN, NotUnderstoodError
from tests.support.processes import INITIALIZE
from tests.support.stdio_sessions import ENVELOPE, META, READY, answers_of_the_sdk, few_tools, frame, made, opened

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "everything": {},
    "what reads": {"read_only": True},
    "the read-only profile": {"policy": "read-only"},
    "the strict profile": {"policy": "strict"},
    "two toolsets": {"toolsets": ("bounces", "messages")},
    "a preset": {"preset": ("sending",)},
    "one tool": {"tools": ("list_domains",)},
    "a workflow tool": {"tools": ("explain_delivery",)},
    "without some": {"exclude_tools": ("delete_domain", "whoami", "undo_operation")},
    "search mode": {"mode": "search"},
    "search mode, what reads": {"mode": "search", "read_only": True},
    "search mode, one toolset": {"mode": "search", "toolsets": ("domains",)},
    "subaccounts": {"subaccount_argument": True},
    "without deprecated tools": {"no_deprecated": True},
    "a client that is to ask before each call": {"require_user_interaction": True},
    "one toolset that reads": {"toolsets": ("metrics",), "read_only": True},
}


def session(version: str) -> list[bytes]:
    if version == MODERN:
        return [frame(method, {"_meta": ENVELOPE}) for method in ("server/discover", "tools/list", "tools/list")]
    return [*opened(version), frame("tools/list"), frame("tools/list", {}, "two"), frame("ping", {}, 3)]


def early(services: Services, lines: Sequence[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return what is answered early, what the SDK must see again, and which lines are left to it."""
    answers = EarlyAnswers(services)
    written: list[bytes] = []
    for position, line in enumerate(lines):
        try:
            answer = answers.answer(line)
        except NotUnderstoodError:
            return written, answers.replay, list(lines[position:])
        written += [answer] if answer else []
    return written, answers.replay, []


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_answers_are_those_of_the_sdk_for_every_configuration_and_version(configuration: dict[str, Any]) -> None:
    services = made(**configuration)
    for version in (*LEGACY, MODERN, "1999-01-01"):
        lines = session(version)
        written, _, rest = early(services, lines)
        assert rest == []
        assert written == anyio.run(answers_of_the_sdk, services, lines)


CLIENTS: dict[str, Any] = {
    "an editor": {
        "protocolVersion": "2025-11-25",
        "capabilities": {
            "roots": {"listChanged": True},
            "sampling": {"context": {}, "tools": {}},
            "elicitation": {"form": {}, "url": {}},
            "tasks": {"list": {}, "cancel": {}, "requests": {"elicitation": {"create": {}}}},
            "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
        },
        "clientInfo": {"name": "Visual Studio Code", "version": "1.110.0"},
    },
    "a terminal": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"roots": {}, "elicitation": {}},
        "clientInfo": {
            "name": "claude-code",
            "title": "Claude Code",
            "version": "2.1",
            "websiteUrl": "https://example.com",
        },
    },
    "one with capabilities of its own": {
        "protocolVersion": "2025-03-26",
        "capabilities": {"tools": True, "prompts": True, "logging": False, "experimental": {"x": {"y": [1]}}},
        "clientInfo": {"name": "Zoë", "version": ""},
    },
}


@pytest.mark.parametrize("params", CLIENTS.values(), ids=CLIENTS)
def test_real_clients_are_answered_early(params: dict[str, Any]) -> None:
    lines = [frame("initialize", params), READY, frame("tools/list", {"_meta": {"progressToken": 7}})]
    written, replay, rest = early(few_tools(), lines)
    assert (len(written), replay, rest) == (2, lines[:2], [])
    assert written == anyio.run(answers_of_the_sdk, few_tools(), lines)


LEFT_TO_THE_SDK = {
    "a call": frame("tools/call", {"name": "list_bounces", "arguments": {}}),
    "a cursor": frame("tools/list", {"cursor": "2"}),
    "a second greeting": frame("initialize", INITIALIZE),
    "a request of the other era": frame("tools/list", {"_meta": ENVELOPE}),
    "no version of JSON-RPC": b'{"id":1,"method":"ping"}\n',
    "an id of true": frame("ping", identifier=True),
    "an id of null": frame("ping", identifier=None),
    "a fractional id": frame("ping", identifier=1.0),
    "a negative id": frame("ping", identifier=-0.0),
    "a large id": frame("ping", identifier=10**15),
    "params of null": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}\n',
    "params of a list": frame("ping", []),
    "an id twice": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}\n',
    "an escape": rb'{"jsonrpc":"2.0","id":"\u0041","method":"ping"}' + b"\n",
    "another field": frame("ping", error={}),
    "a method of null": b'{"jsonrpc":"2.0","id":1,"method":null}\n',
    "a long message": frame("ping", identifier="x" * 70_000),
    "a deep message": frame("ping", json.loads("[" * 101 + "]" * 101)),
    "no JSON": b"nonsense\n",
    "no UTF-8": b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}\n',
    "a list": b"[]\n",
    "a notification": b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n',
    "a second notification that the client is ready": READY,
    "a token of progress that is true": frame("ping", {"_meta": {"progressToken": True}}),
    "a note of the client's": frame("ping", {"_meta": {"note": 1}}),
}


@pytest.mark.parametrize("line", LEFT_TO_THE_SDK.values(), ids=LEFT_TO_THE_SDK)
def test_what_is_not_understood_is_left_to_the_sdk(line: bytes) -> None:
    lines = [*opened(LEGACY[-1]), line, frame("ping")]
    assert early(few_tools(), lines)[2] == lines[2:]


FIRST = {
    "a call": frame("tools/call", {"name": "list_bounces", "arguments": {}}),
    "a list without a greeting": frame("tools/list"),
    "a ping": frame("ping"),
    "ready before the greeting": READY,
    "a greeting without a client": frame("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}),
    "a version that is a number": frame("initialize", {**INITIALIZE, "protocolVersion": 1}),
    "a client without a version": frame("initialize", {**INITIALIZE, "clientInfo": {"name": "x"}}),
    "a client that is a text": frame("initialize", {**INITIALIZE, "clientInfo": "x"}),
    "capabilities that are a list": frame("initialize", {**INITIALIZE, "capabilities": []}),
    "elicitation that is true": frame("initialize", {**INITIALIZE, "capabilities": {"elicitation": True}}),
    "roots that are true": frame("initialize", {**INITIALIZE, "capabilities": {"roots": True}}),
    "an experiment that is a text": frame("initialize", {**INITIALIZE, "capabilities": {"experimental": {"x": "y"}}}),
    "params of another kind": frame("initialize", "x"),
    "another version of the envelope": frame("tools/list", {"_meta": {**ENVELOPE, f"{META}protocolVersion": "x"}}),
    "half an envelope": frame("tools/list", {"_meta": {f"{META}protocolVersion": MODERN}}),
    "an envelope with a log level": frame("tools/list", {"_meta": {**ENVELOPE, f"{META}logLevel": "info"}}),
    "an enveloped call": frame("tools/call", {"name": "whoami", "_meta": ENVELOPE}),
    "an enveloped ping": frame("ping", {"_meta": ENVELOPE}),
}


@pytest.mark.parametrize("line", FIRST.values(), ids=FIRST)
def test_a_session_that_opens_otherwise_is_left_to_the_sdk(line: bytes) -> None:
    lines = [line, *session(LEGACY[-1])]
    assert early(few_tools(), lines) == ([], [], lines)


def test_a_notification_in_the_newer_era_is_left_to_the_sdk() -> None:
    lines = [*session(MODERN), READY, frame("tools/list")]
    assert early(few_tools(), lines)[1:] == (lines[:1], lines[3:])


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "Grüße", "2.0", MODERN, LEGACY[0]])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["form", "listChanged", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ABILITIES = st.dictionaries(
    st.sampled_from(["roots", "elicitation", "sampling", "tasks", "experimental", "extensions", "own"]),
    VALUES,
    max_size=2,
)
INFO = st.fixed_dictionaries(
    {"name": st.just("x") | SCALARS, "version": st.just("1") | SCALARS},
    optional={"title": SCALARS, "websiteUrl": SCALARS, "icons": VALUES},
)
GREETING = st.fixed_dictionaries(
    {
        "protocolVersion": st.sampled_from([*LEGACY, MODERN, "x"]) | SCALARS,
        "capabilities": ABILITIES,
        "clientInfo": INFO,
    },
    optional={"_meta": VALUES},
)
ENVELOPES = st.fixed_dictionaries(
    {f"{META}protocolVersion": st.just(MODERN) | SCALARS},
    optional={
        f"{META}clientInfo": INFO,
        f"{META}clientCapabilities": ABILITIES,
        "progressToken": SCALARS,
        f"{META}logLevel": SCALARS,
    },
)
PARAMS: st.SearchStrategy[Any] = st.just({}) | st.fixed_dictionaries({"_meta": ENVELOPES | VALUES}) | GREETING | VALUES
METHODS = st.sampled_from(["initialize", "ping", "tools/list", "server/discover", "prompts/list", "tools/call", "x"])
IDENTIFIERS = st.integers(0, 3) | st.sampled_from(["one", "Zoë"])
REQUESTS = st.builds(frame, METHODS, PARAMS, IDENTIFIERS)
USUAL = st.sampled_from([line for version in (LEGACY[0], MODERN) for line in session(version)])
FRAMES = st.one_of(USUAL, REQUESTS, st.sampled_from([*LEFT_TO_THE_SDK.values(), *FIRST.values(), b"\n", b" \r\n"]))
OPENINGS = st.sampled_from(
    [opened(LEGACY[-1]), opened("x")[:1], session(MODERN)[:1], session(MODERN)[1:2], []]
) | st.builds(lambda greeting: [frame("initialize", greeting)], GREETING)


@example(opening=opened(LEGACY[-1]), rest=[frame("tools/list", {}, 1), frame("tools/list", {"_meta": []}, 2)])
@settings(max_examples=60)
@given(opening=OPENINGS, rest=st.lists(FRAMES, max_size=5))
def test_no_frame_is_lost_reordered_or_answered_twice_or_otherwise(opening: list[bytes], rest: list[bytes]) -> None:
    """What is written early, and then by the SDK, is what the SDK alone writes for the same frames."""
    lines = [*opening, *rest]
    written, replay, left = early(few_tools(), lines)

    async def both() -> tuple[list[bytes], list[bytes]]:
        alone = await answers_of_the_sdk(few_tools(), lines)
        return alone, [*written, *await answers_of_the_sdk(few_tools(), left, replay=replay)]

    alone, together = anyio.run(both)
    assert together == alone
