"""The calls of a workflow: single tools, through the whole pipeline, at the same time."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import NOBODY
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.output.untrusted import FENCES, NOTICE, notice
from mailgun_mcp.text.compact_json import compact

Run = Callable[[str, Arguments, Caller], Awaitable[CallResult]]
MOST_AT_ONCE = 40
"""Four lists of each of ten domains take one round trip. The client's rate limit applies as well."""
NOT_FOUND = "HTTP 404"
LONGEST_REASON = 300
NOT_TOLD = ("fields", "metrics", "pagination")
"""Arguments that a source leaves out: the audit log has them."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a single tool returned. Without an answer it is empty, so that what is looked for is not there."""

    result: Mapping[str, Any]
    source: int
    """Its number among the sources of the workflow's answer."""
    answered: bool = True

    @property
    def items(self) -> list[Any]:
        """The items of a list."""
        return list(self.result.get("items") or ())


class Reads:
    """Makes the calls of one workflow, and remembers where each fact comes from."""

    def __init__(self, call: Call, run: Run) -> None:
        self._call, self._run = call, run
        # Several calls have several fences; the answer has one.
        self._boundary: str | None = None
        self.sources: dict[str, dict[str, Any]] = {}
        self.not_read: list[dict[str, str]] = []
        self.answered = 0
        """How many calls returned something, or that there is nothing."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the workflow."""
        return self._call.arguments

    @property
    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self._call.services.clock()

    @property
    def client_draws(self) -> bool:
        """Whether the client draws the figures itself."""
        return self._call.caller.shows_views

    def show(self, picture: bytes, mime_type: str) -> str:
        """Add a picture to the result of the workflow, and return the URI under which it can be read again."""
        name = self._call.services.pictures.keep(picture, mime_type, self._call.caller.principal.id)
        self._call.pictures.append((mime_type, picture))
        return f"mailgun-mcp://charts/{name}"

    def offers(self, tool: str) -> bool:
        """Return whether the server offers a tool that is not necessary."""
        return tool in self._call.services.catalogue

    async def all(self, calls: Mapping[str, tuple[str, Arguments]]) -> dict[str, Read]:
        """Make the calls at the same time: name here -> tool and arguments. One that fails does not stop the others."""
        numbers = {name: len(self.sources) + position for position, name in enumerate(calls, 1)}
        for name, (tool, arguments) in calls.items():
            shown = {key: value for key, value in arguments.items() if key not in NOT_TOLD}
            self.sources[str(numbers[name])] = {"tool": tool, **({"arguments": shown} if shown else {})}
        await self._call.caller.notify(f"Reading {', '.join(dict.fromkeys(tool for tool, _ in calls.values()))}")
        results: dict[str, Read] = {}
        limiter = anyio.CapacityLimiter(MOST_AT_ONCE)

        async def read(name: str) -> None:
            async with limiter:
                results[name] = await self._one(*calls[name], numbers[name])

        async with anyio.create_task_group() as group:
            for name in calls:
                group.start_soon(read, name)
        return results

    async def _one(self, tool: str, arguments: Arguments, source: int) -> Read:
        if not self.offers(tool):
            del self.sources[str(source)]
            self.not_read.append({"tool": tool, "why": "this server does not offer it"})
            return Read({}, source, answered=False)
        # The form of a single call would be about something that nobody asked for.
        caller = replace(self._call.caller, asker=NOBODY)
        outcome = await self._run(tool, arguments, caller)
        self.sources[str(source)]["call"] = outcome.call
        if outcome.structured is not None:
            self.answered += 1
            return Read(self._with_one_fence(outcome.structured), source)
        if NOT_FOUND not in outcome.text:
            self.not_read.append({"tool": tool, "why": _shortened(outcome.text)})
            return Read({}, source, answered=False)
        self.answered += 1
        return Read({}, source)

    def _with_one_fence(self, result: dict[str, Any]) -> dict[str, Any]:
        boundary = (result.get(NOTICE) or {}).get("boundary")
        if not boundary:
            return result
        if self._boundary is None:
            self._boundary = boundary
        return {key: _refenced(value, boundary, self._boundary) for key, value in result.items() if key != NOTICE}

    def with_notice(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with the notice about third-party text, where it has some."""
        if self._boundary is None or f"⟦{self._boundary}" not in compact(answer):
            return answer
        return {NOTICE: notice(self._boundary), **answer}


def _shortened(text: str) -> str:
    """Return the text, or its start: no fence is cut open."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON].partition('⟦')[0].rstrip()} …"


def plain(text: object) -> str:
    """Return text without its fences, to look for something in it. It must not be shown."""
    return FENCES.sub("", text) if isinstance(text, str) else ""


def _refenced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(f"⟦{old} ", f"⟦{new} ").replace(f"⟦{old}⟧", f"⟦{new}⟧")
    if isinstance(value, list):
        return [_refenced(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _refenced(item, old, new) for key, item in value.items()}
    return value
