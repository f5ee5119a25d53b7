"""For every scenario, the calls that its case names as evidence show what the case says, through the real pipeline."""

from typing import Any

import pytest

from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.case import Check, Evidence, faults
from mailgun_mcp.simulator.worlds.scenario import open_scenario, shipped_names
from tests.support.accounts import scenario_account_at
from tests.support.calls import run
from tests.support.moments import MOMENTS, moment, spread
from tests.support.operations import find
from tests.support.undoing import bench

pytestmark = pytest.mark.anyio


def test_there_are_at_least_twelve_cases() -> None:
    assert len([name for name in shipped_names() if open_scenario(name).case]) >= 12


async def wrong_evidence(name: str, at: str) -> list[str]:
    """Return what the calls of a case do not show at a moment."""
    scenario = open_scenario(name)
    assert scenario.case is not None
    async with bench(scenario_account_at(name, ManualClock(moment(at)))) as account:
        answers = [(one, await run(account.services, one.tool, dict(one.arguments))) for one in scenario.case.evidence]
    return [f"{one.tool}: {fault}" for one, result in answers for fault in faults(one.expect, result.structured)]


@pytest.mark.parametrize(("name", "at"), spread(shipped_names()))
async def test_the_evidence_shows_what_the_case_says(name: str, at: str) -> None:
    assert await wrong_evidence(name, at) == []


@pytest.mark.slow
@pytest.mark.parametrize("at", MOMENTS)
async def test_the_evidence_of_every_case_is_there_at_every_hour_and_on_every_date(at: str) -> None:
    """The test above has each case at one of them."""
    others = [name for name in shipped_names() if (name, at) not in spread(shipped_names())]
    assert {name: wrong for name in others if (wrong := await wrong_evidence(name, at))} == {}


@pytest.mark.parametrize("name", shipped_names())
def test_evidence_only_reads(name: str) -> None:
    case = open_scenario(name).case
    assert case is not None
    risks = {evidence.tool: find(evidence.tool).risk for evidence in case.evidence}
    assert {tool for tool, risk in risks.items() if risk != "read"} <= {"verify_domain"}


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ({"equals": 1}, [2, 1], [2]),
        ({"only": ["a"]}, ["a", "a"], ["a", "b"]),
        ({"only": ["a"]}, ["a"], []),
        ({"contains": "lo"}, ["hello"], ["help"]),
        ({"without": "lo"}, ["help"], ["hello"]),
        ({"at_least": 2}, [2, "3"], [1, 3]),
        ({"at_least": 2}, [2], []),
        ({"at_most": 2}, [2, 1], [3]),
        ({"count": 0}, [], [1]),
    ],
)
def test_a_check_holds_or_says_what_is_wrong(check: dict[str, Any], right: list[Any], wrong: list[Any]) -> None:
    expected = (Check.model_validate({"path": "items.*.x", **check}),)
    assert faults(expected, {"items": [{"x": value} for value in right]}) == []
    (fault,) = faults(expected, {"items": [{"x": value} for value in wrong]})
    assert fault.startswith("items.*.x: not ")


def test_a_path_leads_through_lists_and_objects() -> None:
    expected = (
        Check(path="a.1.b", equals=2),
        Check(path="a.5", count=0),
        Check(path="a.x", count=0),
        Check(path="m.*", count=2),
    )
    assert faults(expected, {"a": [{}, {"b": 2}], "m": {"x": 1, "y": 2}}) == []


def test_evidence_needs_to_say_what_it_shows() -> None:
    with pytest.raises(ValueError, match="shows"):
        Evidence.model_validate({"tool": "list_routes", "expect": []})
