"""The simulator's page in use: every form and button of it says what it did, where a person sees it."""

import json
import shutil

import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import NODE, run, without

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LIMITED = "Not done: account-requests-per-sec limit exceeded, try again after 5 seconds"
STOPPED = "Not done: Domain mail.example.com is not allowed to send: Account is disabled: custom sending limit reached"
SAID = {
    "send": "Send a message: done",
    "receive": "Receive a message: done",
    "fault": "Make requests fail: done",
    "send with a fault": LIMITED,
    "no faults": "Faults removed",
    "reset": "Reset to the start",
    "replace": "Start a scenario: done",
    "send when no more is allowed": STOPPED,
    "the demo account": "Start a scenario: done",
    "clock": "Moved on by 1h",
    "send once more": "Send a message: done",
    **{act: f"Done: {act}" for act in ("open", "click", "unsubscribe", "complain", "bounce")},
}


@pytest.mark.slow
def test_each_button_says_what_it_did_in_sight_of_the_person(node: str, simulator: str) -> None:
    """The address of the page holds the key, which a browser sends but a script may not use."""
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    done = run([node, "simulator_page.mjs"], NODE, MAILGUN_URL=simulator, MAILGUN_KEY=KEY, CHROMIUM=str(BROWSER))
    assert done.returncode == 0, done.stderr
    pressed = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["name"]: one["said"] for one in pressed} == {
        f"{way}: {name}": said for way in ("screen", "phone") for name, said in SAID.items()
    }
    assert [one["name"] for one in pressed if not one["seen"]] == []
