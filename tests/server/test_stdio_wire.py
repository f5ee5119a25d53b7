"""stdin and stdout of the stdio server, whatever a client makes of them."""

import json
import os
import socket
import subprocess
from pathlib import Path

import mcp_types.methods as methods
import pytest

from mailgun_mcp.catalogue.builtin_tools import listed
from tests.support.forked import forked
from tests.support.operations import catalogue
from tests.support.processes import INITIALIZE, PATIENCE, command, environment

FRAMES = "".join(
    json.dumps({"jsonrpc": "2.0", **frame}) + "\n"
    for frame in (
        {"id": 1, "method": "initialize", "params": INITIALIZE},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "ping"},
    )
).encode()
ANSWERED = {1, 2, 3}


def _ids(lines: bytes) -> set[int]:
    return {json.loads(line)["id"] for line in lines.splitlines()}


def _start(home: Path, stdin: int, stdout: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        forked("serve", "--simulator"), env=environment(home), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )


def test_files_do_as_stdin_and_stdout(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(FRAMES)
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        process = _start(tmp_path, stdin.fileno(), stdout.fileno())
        _, said = process.communicate(timeout=PATIENCE)

    assert (process.returncode, said) == (0, b"")
    assert _ids((tmp_path / "out").read_bytes()) == ANSWERED


def test_one_socket_does_as_both(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = _start(tmp_path, theirs.fileno(), theirs.fileno())
        theirs.close()
        ours.settimeout(PATIENCE)
        ours.sendall(FRAMES)
        with ours.makefile("rb") as answers:
            found = _ids(b"".join(answers.readline() for _ in ANSWERED))
        ours.shutdown(socket.SHUT_WR)
        process.communicate(timeout=PATIENCE)

    assert (found, process.returncode) == (ANSWERED, 0)


def test_a_pipe_that_others_hold_too_is_left_as_it_was(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = _start(tmp_path, reading, subprocess.PIPE)
    os.write(writing, FRAMES)
    assert process.stdout is not None
    found = _ids(b"".join(process.stdout.readline() for _ in ANSWERED))
    os.close(writing)
    process.communicate(timeout=PATIENCE)

    assert (found, process.returncode, os.get_blocking(reading)) == (ANSWERED, 0, True)
    os.close(reading)


def test_a_client_that_reads_no_more_ends_the_server_without_a_traceback(tmp_path: Path) -> None:
    process = _start(tmp_path, subprocess.PIPE, subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(FRAMES)
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(FRAMES)
    process.stdin.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(PATIENCE), said) == (0, b"")


def test_a_client_that_reads_late_gets_everything(tmp_path: Path) -> None:
    lists = 20
    more = b"".join(
        b'{"jsonrpc": "2.0", "id": %d, "method": "tools/list"}\n' % number for number in range(4, 4 + lists)
    )
    process = _start(tmp_path, subprocess.PIPE, subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(FRAMES + more)
    process.stdin.flush()
    found = _ids(b"".join(process.stdout.readline() for _ in range(len(ANSWERED) + lists)))
    process.communicate(timeout=PATIENCE)

    assert (found, process.returncode) == ({*range(1, 4 + lists)}, 0)


def test_a_client_that_closes_its_end_at_once_gets_every_answer_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        command("serve", "--simulator"), env=environment(tmp_path), input=FRAMES, capture_output=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr, _ids(done.stdout)) == (0, b"", ANSWERED)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"])
def test_the_catalogue_holds_the_tools_in_their_wire_form(version: str) -> None:
    """The server puts them into the answer as they are, past the SDK's own check."""
    tools = listed(catalogue())
    written = {"resultType": "complete", "ttlMs": 1, "cacheScope": "public", "tools": tools}

    assert methods.serialize_server_result("tools/list", version, written)["tools"] == tools
