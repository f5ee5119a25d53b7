"""Mailgun's own SDK for Go does what it offers, against the simulator; only its base URL is set."""

import re

import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import CACHE, PROGRAMS, calls_of, check_results, need_command, run, without

FOLDER = PROGRAMS / "go"


@pytest.fixture(scope="module")
def program() -> str:
    """The compiled program; the modules that it needs come from Go's proxy, as `go.sum` says."""
    go = need_command("go")
    downloaded = run([go, "mod", "download"], FOLDER)
    if downloaded.returncode:
        without(f"the modules cannot be downloaded: {downloaded.stderr[-300:]}", provided=False)
    built = run([go, "build", "-o", str(CACHE / "go" / "flows"), "."], FOLDER)
    if built.returncode:
        pytest.fail(built.stderr)
    return str(CACHE / "go" / "flows")


@pytest.mark.slow
def test_every_call_goes_as_the_sdk_expects(program: str, simulator: str) -> None:
    done = run([program], FOLDER, MAILGUN_URL=simulator, MAILGUN_KEY=KEY)
    version = re.search(r"mailgun-go/v5 v(\S+)", (FOLDER / "go.mod").read_text(encoding="utf-8"))
    assert version
    check_results("mailgun-go (Go)", version[1], calls_of(done))
