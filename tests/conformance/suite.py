"""Runs the official conformance suite, and reads its verdicts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
PATIENCE = 300
"""Seconds for `npm ci` or a run of the suite."""


def suite_command() -> list[str]:
    """Return the command of the suite, installed as its lock says."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("the official conformance suite needs node and npm on the PATH")
    if not INSTALLED.is_file() or INSTALLED.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        done = ran(["npm", "ci", "--ignore-scripts"])
        if done.returncode:
            reason = f"`npm ci` in tests/conformance failed: {done.stderr[-400:]}"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    script = FOLDER / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return ["node", "--import", "./fs-globsync.mjs", str(script)]


def ran(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command of the suite."""
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=PATIENCE, check=False)


def found_in(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the checks of each scenario that was run."""
    return {
        re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", path.parent.name): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("*/checks.json")
    }
