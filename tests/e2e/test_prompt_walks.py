"""Somebody follows each prompt against the simulator: every tool that it names can be called, and does something."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.app.toolkit import Toolkit
from mailgun_mcp.catalogue.procedures import TOOL, compiled_procedures
from tests.support.prompt_walks import REFUSED, WALKS

pytestmark = pytest.mark.anyio


def test_there_is_a_walk_for_every_prompt() -> None:
    assert WALKS.keys() == compiled_procedures().keys()


@pytest.mark.parametrize("prompt", WALKS)
async def test_every_call_that_a_prompt_asks_for_works(prompt: str, tmp_path: Path) -> None:
    results: dict[str, Any] = {}
    failures = {}
    async with Toolkit(simulator=True, policy="unguarded", state=str(tmp_path)) as toolkit:
        for tool, arguments in WALKS[prompt]:
            outcome = await toolkit.call(tool, arguments(results))
            results[tool] = outcome.structured
            expected = REFUSED.get((prompt, tool))
            if outcome.is_error and not (expected and expected in outcome.text):
                failures[tool] = outcome.text
    assert failures == {}
    assert set(TOOL.findall(compiled_procedures()[prompt].body)) <= results.keys()
