"""SDKs of other people against the simulator: their programs, and the record of what they tried."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "sdk"
NODE = PROGRAMS / "node"
CACHE = ROOT / "build" / "sdk"
"""Where what is downloaded or built for the programs stays."""
RESULTS = PROGRAMS / "results.json"
PATIENCE = 300
"""Seconds for a download, a build or a whole program."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an SDK that a program tried, and what failed."""

    group: str
    name: str
    failed: str | None


def need_command(name: str, *, provided: bool = False) -> str:
    """Return the path of a command. Without it the test is skipped, or fails where CI installs it (`provided`)."""
    path = shutil.which(name)
    if path is None:
        without(f"{name} is not on the PATH", provided=provided)
    return path


def without(reason: str, *, provided: bool) -> NoReturn:
    """Skip the test; fail in CI if `.ci/run` provides what is missing."""
    if provided and os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run(command: Sequence[str], folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder until it ends."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def calls_of(done: "subprocess.CompletedProcess[str]") -> list[Call]:
    """Return the calls that a program printed: one JSON object a line."""
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:]
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [Call(record["group"], record["call"], record["failed"]) for record in records]


def check_results(package: str, version: str, calls: Sequence[Call]) -> None:
    """Assert that every call passed, and that they are those in `results.json`.

    With `UPDATE_SDK_RESULTS=1` they are written there instead. The table in the docs is made of that file.
    """
    failed = {f"{call.group}: {call.name}": call.failed for call in calls if call.failed}
    groups = sorted({call.group for call in calls})
    passed = {
        group: sorted({call.name for call in calls if call.group == group and not call.failed}) for group in groups
    }
    result = {"version": version, "passed": passed, "failed": failed}
    if os.environ.get("UPDATE_SDK_RESULTS"):
        results = dict(sorted({**_results(), package: result}.items()))
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    assert failed == {}
    # The table names the version that was run; a machine may have the next one.
    recorded = {**_results().get(package, {}), "version": version}
    assert recorded == result, "run the tests of tests/sdk with UPDATE_SDK_RESULTS=1"


def _results() -> dict[str, Mapping[str, object]]:
    results: dict[str, Mapping[str, object]] = (
        json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    )
    return results
