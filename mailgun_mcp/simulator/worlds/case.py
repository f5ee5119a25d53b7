"""A scenario's question to an agent, and how the answer is judged: evidence, right answer, wrong turns."""

from typing import Any

from pydantic import Field

from mailgun_mcp.simulator.worlds.incidents import ScenarioPart


class Check(ScenarioPart):
    """Something that the answer of a call says. All keys that are set must hold."""

    path: str = Field(description="Keys and indexes to the values, joined by dots; `*` is every item.")
    equals: Any = Field(default=None, description="One of the values is this.")
    only: tuple[Any, ...] | None = Field(default=None, description="There are values, and each is one of these.")
    contains: str | None = Field(default=None, description="One of the values is a text that contains this.")
    without: str | None = Field(default=None, description="No value is a text that contains this.")
    at_least: float | None = Field(default=None, description="There are values, and all are at least this.")
    at_most: float | None = Field(default=None, description="There are values, and all are at most this.")
    count: int | None = Field(default=None, description="How many values there are.")


class Evidence(ScenarioPart):
    """A tool call that shows a part of the answer."""

    tool: str = Field(description="Name of the tool.")
    arguments: dict[str, Any] = Field(default={}, description="Its arguments.")
    shows: str = Field(description="What one learns from it.")
    expect: tuple[Check, ...] = Field(description="What its answer says.")


class Case(ScenarioPart):
    """A question about the account, and what is needed to judge an answer."""

    question: str = Field(description="What the agent is asked.")
    evidence: tuple[Evidence, ...] = Field(min_length=1, description="The calls that show the answer.")
    answer: str = Field(description="The right answer.")
    wrong_turns: tuple[str, ...] = Field(min_length=1, description="Conclusions and actions that are wrong, and why.")


def faults(expected: tuple[Check, ...], answer: Any) -> list[str]:
    """Return the differences between an answer and what the checks expect."""
    return [fault for check in expected if (fault := _fault(check, list(_values(answer, check.path.split(".")))))]


def _values(value: Any, path: list[str]) -> list[Any]:
    if not path:
        return [value]
    key, rest = path[0], path[1:]
    if key == "*":
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [each for item in items for each in _values(item, rest)]
    if isinstance(value, dict) and key in value:
        return _values(value[key], rest)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return _values(value[int(key)], rest)
    return []


def _fault(check: Check, values: list[Any]) -> str | None:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [float(value) for value in values if isinstance(value, int | float | str) and _is_number(value)]
    holds = {
        "equals": check.equals is None or check.equals in values,
        "only": check.only is None or (bool(values) and all(value in check.only for value in values)),
        "contains": check.contains is None or any(check.contains in text for text in texts),
        "without": check.without is None or not any(check.without in text for text in texts),
        "at_least": check.at_least is None or (bool(numbers) and min(numbers) >= check.at_least),
        "at_most": check.at_most is None or (bool(numbers) and max(numbers) <= check.at_most),
        "count": check.count is None or check.count == len(values),
    }
    failed = [f"{name} {getattr(check, name)!r}" for name, right in holds.items() if not right]
    return f"{check.path}: not {', '.join(failed)}: {values[:5]!r}" if failed else None


def _is_number(value: float | str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
