"""Mailgun's own SDK for Node does what its README shows, against the simulator; only its base URL is set."""

import json

import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import NODE, calls_of, check_results, run


@pytest.mark.slow
def test_every_flow_goes_as_documented(node: str, simulator: str) -> None:
    done = run([node, "flows.mjs"], NODE, MAILGUN_URL=simulator, MAILGUN_KEY=KEY)
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))
    check_results("mailgun.js (Node)", lock["packages"]["node_modules/mailgun.js"]["version"], calls_of(done))
