"""Persons at an MCP client: each answers a confirmation in one way."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import mcp_types as types
from mcp.client import ClientRequestContext

Content = dict[str, str | int | float | bool | list[str] | None]
Answer = types.ElicitResult | types.ErrorData
Person = Callable[[types.ElicitRequestFormParams], Awaitable[Answer]]


def right(question: types.ElicitRequestFormParams) -> Content:
    """Return the content that is a yes to the question."""
    field: dict[str, Any] = question.requested_schema["properties"]["confirm"]
    return {"confirm": True if field["type"] == "boolean" else field["title"].removeprefix("Type ")}


def wrong(question: types.ElicitRequestFormParams) -> Content:
    """Return what looks like a yes and is none."""
    (said,) = right(question).values()
    return {"confirm": "true" if said is True else f"{said}x"}


async def accepts(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content=right(question))


async def declines(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="decline")


async def declines_with_a_yes_inside(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="decline", content=right(question))


REASON = "use the other list"


async def declines_with_a_reason(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="decline", content={"reason": REASON})


async def fills_in_only_the_reason(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content={"reason": REASON})


async def agrees_with_a_reason_against_it(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content={**right(question), "reason": REASON})


async def cancels(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="cancel")


async def says_nothing(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept")


async def fills_in_nothing(_: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content={})


async def answers_wrong(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content=wrong(question))


async def answers_false(question: types.ElicitRequestFormParams) -> Answer:
    (said,) = right(question).values()
    return types.ElicitResult(action="accept", content={"confirm": False if said is True else "no"})


async def answers_more(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content={**right(question), "remember": True})


async def answers_beside(question: types.ElicitRequestFormParams) -> Answer:
    return types.ElicitResult(action="accept", content={"confirmed": True})


async def breaks(_: types.ElicitRequestFormParams) -> Answer:
    return types.ErrorData(code=types.INTERNAL_ERROR, message="the window is gone")


async def never_answers(_: types.ElicitRequestFormParams) -> Answer:
    await anyio.sleep_forever()
    raise AssertionError


def once(person: Person, after: Person = declines) -> Person:
    """Return a person who answers the first question as `person`, and all others as `after`."""
    people = [person]

    async def answer(question: types.ElicitRequestFormParams) -> Answer:
        return await (people.pop() if people else after)(question)

    return answer


class Desk:
    """The place at a client where a person sits; who it is can change between calls."""

    def __init__(self, person: Person = accepts) -> None:
        self.person = person
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> Answer:
        assert isinstance(params, types.ElicitRequestFormParams)
        self.asked.append(params.message)
        return await self.person(params)
