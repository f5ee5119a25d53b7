"""A session that begins before there is an event loop: however its bytes arrive, every message is answered once, in order."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgun_mcp.server import early_session
from mailgun_mcp.server.early_session import EarlySession, answers_are_known
from tests.support.processes import PATIENCE, command, environment
from tests.support.stdio_sessions import ENVELOPE, few_tools, frame, opened

CALL = frame("tools/call", {"name": "whoami", "arguments": {}}, "call")
MODERN_CALL = frame("tools/call", {"name": "whoami", "arguments": {}, "_meta": ENVELOPE}, "call")
SESSIONS = {
    "legacy": [*opened("2025-11-25"), frame("tools/list", {}, 1), frame("ping", {}, 2), CALL],
    "modern": [frame(name, {"_meta": ENVELOPE}, name) for name in ("server/discover", "tools/list")] + [MODERN_CALL],
}


class Scripted(early_session._Front):
    """A front whose client sends one piece after the other; at the end of the script, calls can be made."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(few_tools(), (-1, -1), -1, Thread())
        self._pieces = iter(pieces)
        self.written: list[bytes] = []

    def play(self) -> EarlySession:
        while self._answer_received() and self._receive():
            pass
        return self._session()

    def _receive(self) -> bool:
        piece = next(self._pieces, b"")
        self._received += piece
        return bool(piece)

    def _write(self, data: bytes) -> None:
        self.written += [data] if data else []


@settings(max_examples=50)
@given(data=st.data(), era=st.sampled_from(sorted(SESSIONS)))
def test_wherever_the_bytes_are_split_and_the_front_ends_nothing_is_lost(data: st.DataObject, era: str) -> None:
    stream = b"".join(SESSIONS[era])
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=6).map(lambda found: sorted({0, *found})))
    pieces = [stream[start:end] for start, end in zip(cuts, [*cuts[1:], None], strict=True)]
    pieces = pieces[: data.draw(st.integers(0, len(pieces)))]
    front = Scripted(pieces)
    session = front.play()
    read = b"".join(pieces)
    assert read.endswith(session.rest)
    lines = read[: len(read) - len(session.rest)].splitlines(keepends=True)
    assert lines == SESSIONS[era][: len(lines)]
    assert [json.loads(each)["id"] for each in front.written] == [
        json.loads(each)["id"] for each in lines if b'"id"' in each
    ]
    assert session.answers is not None
    assert session.answers.replay == lines[: 2 if era == "legacy" else 1]
    assert session.answers.listed == any(b"tools/list" in each for each in lines)


def run(tmp_path: Path, sent: bytes, *flags: str, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    env = environment(tmp_path, {"MAILGUN_API_KEY": "key-of-the-tests", **environ})
    return subprocess.run(command(*flags), input=sent, capture_output=True, env=env, timeout=PATIENCE, check=False)


@pytest.mark.parametrize("era", SESSIONS)
def test_a_client_that_sends_everything_at_once_gets_every_answer_in_order(era: str, tmp_path: Path) -> None:
    env = environment(tmp_path, {"MAILGUN_API_KEY": "key-of-the-tests"})
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"".join(SESSIONS[era]))
        process.stdin.flush()
        identifiers = [request["id"] for request in map(json.loads, SESSIONS[era]) if "id" in request]
        answers = [json.loads(process.stdout.readline()) for _ in identifiers]
        process.stdin.close()
        assert process.stdout.read() == b""
    assert [answer["id"] for answer in answers] == identifiers
    assert all("result" in answer for answer in answers)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("flags", "environ"),
    [([], {"MAILGUN_API_KEY": ""}), (["--policy", "missing.yaml"], {}), (["--toolsets", "bounced"], {})],
    ids=["no key", "no policy", "no such toolset"],
)
def test_a_start_that_fails_answers_nothing(flags: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, b"".join(SESSIONS["legacy"]), *flags, **environ)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"mailgun-mcp: error: " in done.stderr


def test_the_tools_of_a_document_of_ones_own_are_listed_by_the_sdk(tmp_path: Path) -> None:
    operation = {
        "operationId": "x",
        "parameters": [{"name": "n", "in": "query", "schema": {"type": "number", "maximum": 1e20}}],
    }
    spec = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/v9/x": {"get": operation}}}
    (tmp_path / "own.json").write_text(json.dumps(spec), encoding="utf-8")
    done = run(tmp_path, b"".join(SESSIONS["legacy"]), "--spec", str(tmp_path / "own.json"), "--toolsets", "spec")
    assert done.stdout.count(b"\n") == 4, done.stderr


def test_a_client_that_writes_much_before_it_reads_does_not_wait_for_ever(tmp_path: Path) -> None:
    """The list does not fit into the pipe, nor does what the client sends before it reads the list."""
    pings = [frame("ping", {}, number) for number in range(10_000)]
    env = environment(tmp_path, {"MAILGUN_API_KEY": "key-of-the-tests"})
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdin
        assert process.stdout
        writer = Thread(target=process.stdin.write, args=[b"".join([*SESSIONS["legacy"][:3], *pings])])
        writer.start()
        writer.join(PATIENCE)
        assert not writer.is_alive()
        process.stdin.close()
        answers = [json.loads(line)["id"] for line in process.stdout]
    assert answers == [0, 1, *range(10_000)]


def test_a_client_that_hesitates_is_answered_when_the_sdk_is_there(tmp_path: Path) -> None:
    env = environment(tmp_path, {"MAILGUN_API_KEY": "key-of-the-tests"})
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        answers: list[Any] = []
        output = os.fdopen(os.dup(process.stdout.fileno()), "rb")
        for line in [*SESSIONS["legacy"], frame("prompts/list", {}, 4)]:
            process.stdin.write(line)
            if b'"id"' in line:
                answers.append(json.loads(output.readline())["id"])
        process.stdin.close()
        rest = output.read()
        output.close()
    assert (answers, rest, process.returncode) == ([0, 1, 2, "call", 4], b"", 0)


def test_a_client_that_leaves_before_it_is_answered_ends_the_server(tmp_path: Path) -> None:
    env = environment(tmp_path, {"MAILGUN_API_KEY": "key-of-the-tests"})
    with subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as process:
        assert process.stdout
        process.stdout.close()
        _, errors = process.communicate(b"".join(SESSIONS["legacy"]), PATIENCE)
    assert (process.returncode, errors) == (0, b"")


def test_answers_are_known_for_the_installed_sdk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry", raising=False)
    assert answers_are_known()
    monkeypatch.setattr(early_session, "VERIFIED", {"2.2.9"})
    assert not answers_are_known()


def test_a_traced_server_answers_with_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", sys)
    assert not answers_are_known()


def test_the_first_answers_need_no_sdk() -> None:
    code = (
        "import json, sys\n"
        "from mailgun_mcp.app.compose import create_services\n"
        "from mailgun_mcp.server import early_session\n"
        "from mailgun_mcp.server.early_answers import EarlyAnswers\n"
        "from mailgun_mcp.settings import Settings\n"
        "answers = EarlyAnswers(create_services(Settings(api_key='key-0123')))\n"
        f"for line in {SESSIONS['legacy'][:4]!r}:\n"
        "    answers.answer(line)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert set(json.loads(done.stdout)) & {"mcp", "mcp_types", "pydantic", "httpx"} == set()
