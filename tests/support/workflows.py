"""Workflow tools against an account of the simulator, with the calls that they made."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from mailgun_mcp.call import pipeline
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.workflows import run as workflows
from mailgun_mcp.call.workflows.reads import Read, Reads
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller

NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")
NOT_A_NUMBER_OF_A_TOOL = ("days", "from", "events_from", "sources")


@dataclass
class Answer:
    """What a workflow answered, and what the single tools had returned."""

    result: CallResult
    returned: list[str] = field(default_factory=list)

    @property
    def structured(self) -> dict[str, Any]:
        """The answer. Fails for an error."""
        assert self.result.structured is not None, self.result.text
        return self.result.structured

    @property
    def causes(self) -> list[str]:
        """The causes that it names, in order."""
        return [finding["cause"] for finding in self.structured["findings"]]

    @property
    def invented(self) -> list[str]:
        """The numbers of the answer that no single tool returned."""
        shown = json.dumps({name: _told(self.structured[name]) for name in ("findings", "facts")})
        known = {number for text in self.returned for number in re.findall(r"\d+(?:\.\d+)?", text)}
        return sorted({number for number in NUMBER.findall(shown) if number not in known})


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _told(item) for key, item in value.items() if key not in NOT_A_NUMBER_OF_A_TOOL}
    return [_told(item) for item in value] if isinstance(value, list) else value


def read(result: dict[str, Any], source: int = 1) -> Read:
    """Return what a single tool returned."""
    return Read(result, source)


def rows(**metrics: Mapping[str, float]) -> Read:
    """Return metrics by the value of one dimension."""
    return Read({"items": [{"dimensions": [{"value": value}], "metrics": of} for value, of in metrics.items()]}, 1)


async def ask(toolkit: Any, tool: str, arguments: Arguments) -> Answer:
    """Call a workflow tool of a toolkit, and remember what the single tools returned."""
    returned: list[str] = []
    services = toolkit._services

    async def watched(name: str, inner: Arguments, caller: Caller) -> CallResult:
        outcome = await pipeline.run(services, name, inner, caller)
        returned.append(outcome.text)
        return outcome

    class Watching(Reads):
        def __init__(self, call: Any, _: Any) -> None:
            super().__init__(call, watched)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflows, "Reads", Watching)
        return Answer(await toolkit.call(tool, arguments), returned)


@asynccontextmanager
async def account_of(scenario: str, state: str, **settings: Any) -> AsyncIterator[Any]:
    """Yield a toolkit whose account is that of a scenario."""
    from mailgun_mcp.app.toolkit import Toolkit

    async with Toolkit(simulator=True, scenario=scenario, state=state, **settings) as toolkit:
        yield toolkit
