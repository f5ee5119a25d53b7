"""The support code that decides whether a test of many operations fails, and that which runs programs."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.control.account_json import snapshot
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.scenario import open_scenario
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account
from tests.support.accounts import scenario_account_at
from tests.support.forked import CLIENT, ROOT, forked
from tests.support.offenders import holds_for, offenders
from tests.support.operations import find
from tests.support.postgresql import Cluster, Contents
from tests.support.processes import PATIENCE, command, environment

TWO = [find("get_domain"), find("get_bounce")]
needs_fork_server = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="programs are started here, not forked")


def reads_a_domain(operation: Operation) -> None:
    assert operation.name == "get_domain"


def raises_nothing(operation: Operation) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - nothing is raised at all
        assert operation


def breaks(operation: Operation) -> None:
    raise KeyError(operation.path)


def test_every_offender_is_named_with_the_reason() -> None:
    (offender,) = offenders(TWO, reads_a_domain)
    assert offender.startswith("get_bounce: ")
    assert "'get_bounce' == 'get_domain'" in offender
    assert [found.partition(":")[0] for found in offenders(TWO, raises_nothing)] == ["get_domain", "get_bounce"]


def test_an_error_of_another_kind_names_the_operation() -> None:
    with pytest.raises(KeyError) as caught:
        offenders(TWO, breaks)
    assert caught.value.__notes__ == ["raised for get_domain"]


def test_a_rule_with_an_offender_fails_and_so_does_one_for_no_operation() -> None:
    with pytest.raises(AssertionError, match="get_bounce"):
        holds_for(TWO)(reads_a_domain)()
    with pytest.raises(AssertionError, match="no operation at all"):
        holds_for([])(reads_a_domain)()


@pytest.mark.parametrize(
    "arguments", [["--version"], ["frobnicate"], ["tools", "call"], ["approvals", "list", "--json"]]
)
def test_a_forked_program_does_what_a_started_one_does(arguments: list[str], tmp_path: Path) -> None:
    """In its own directory and environment."""
    ends = []
    for number, start in enumerate((command, forked)):
        home = tmp_path / str(number)
        home.mkdir()
        done = subprocess.run(
            start(*arguments), env=environment(home), cwd=home, capture_output=True, timeout=PATIENCE, check=False
        )
        ends.append((done.returncode, done.stdout, done.stderr))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_forked_program_is_ended_by_a_signal_as_a_started_one_is(number: signal.Signals, tmp_path: Path) -> None:
    codes = []
    for start in (command, forked):
        with subprocess.Popen(
            start("simulator", "--port", "0"), env=environment(tmp_path), stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert b"listens on" in process.stdout.readline()
            process.send_signal(number)
            # The end of its output is that of the program itself.
            process.stdout.read()
            codes.append(process.wait(PATIENCE))
    assert codes[0] == codes[1]
    assert codes[0] in (-number, 128 + number)


@needs_fork_server
@pytest.mark.parametrize("said", [b"", (99).to_bytes(8, "big"), (99).to_bytes(8, "big") + b"half a request"])
def test_a_client_that_is_killed_before_it_says_what_to_run_ends_only_itself(said: bytes, tmp_path: Path) -> None:
    server = forked()[3]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(server)
        if said:
            socket.send_fds(client, [said], [0, 1, 2])
    done = subprocess.run(forked("--version"), env=environment(tmp_path), timeout=PATIENCE, check=False)
    assert done.returncode == 0


@needs_fork_server
def test_a_forked_program_ends_with_the_server_that_forked_it(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked", path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        with subprocess.Popen(
            [sys.executable, "-ISE", str(CLIENT), path, "simulator", "--port", "0"],
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
        ) as program:
            assert program.stdout is not None
            assert b"listens on" in program.stdout.readline()
            server.kill()
            # The pipe closes when the program has ended.
            program.stdout.read()
            assert program.wait(PATIENCE) == 1


@pytest.mark.parametrize("name", ["healthy", "throttling"])
def test_a_copied_account_is_what_the_scenario_makes_and_nobody_elses(name: str) -> None:
    made = snapshot(scenario_account(open_scenario(name), ManualClock()))
    first, second = scenario_account_at(name, ManualClock()), scenario_account_at(name, ManualClock())
    assert snapshot(first) == snapshot(second) == made
    first.domains.clear()
    assert snapshot(second) == made


def test_a_database_is_as_new_for_the_next_test_unless_its_tables_have_changed(postgresql: Cluster) -> None:
    url = postgresql.lend()
    with psycopg.connect(url, autocommit=True) as connection:
        before = Contents.of(connection)
        for name in ("audit_newest", "schema_version"):
            connection.execute(f"DELETE FROM {name}")
        connection.execute("SELECT nextval('calls_id_seq')")
    postgresql.take_back(url)
    assert postgresql.lend() == url
    with psycopg.connect(url, autocommit=True) as connection:
        assert Contents.of(connection) == before
        assert connection.execute("SELECT nextval('calls_id_seq')").fetchone() == (1,)
        connection.execute("ALTER TABLE spend ADD COLUMN more int")
    postgresql.take_back(url)
    assert postgresql.lend() != url
