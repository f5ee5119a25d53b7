"""Every operation of the catalogue answers, and what it answers is what its output schema says."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.http.documented import MOMENT, documented_reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.all_sections import HANDLERS
from tests.support.arguments import maximal, minimal
from tests.support.everything import CHOSEN, account_with_everything, answered
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio

RATE = re.compile(r"[0-9]+\.[0-9]{4}")
"""Percent, as the metrics have it: `97.5000`."""
TIMES = ("timestamp", "@timestamp")


async def undocumented(make: Callable[[Operation], Arguments]) -> list[str]:
    """Return the operations whose answer to `make`'s arguments is not what the output schema says, with the reason."""
    found = []
    for operation in catalogue():
        answer = await answered(operation, make(operation))
        found += [f"{operation.name}: {fault}" for fault in response_faults(operation, answer)]
    return found


def response_faults(operation: Operation, answer: httpx.Response) -> list[str]:
    if answer.status_code not in (200, 202, 204):
        return [f"{answer.status_code} {answer.text}"]
    body: Any = answer.json() if answer.content else {}
    wrapped = as_in_results({operation.wrap: body} if operation.wrap else body)
    return [error.message for error in Draft202012Validator(operation.output_schema).iter_errors(wrapped)]


def as_in_results(value: Any, name: str = "") -> Any:
    """Return the body with rates and times as results have them: Mailgun writes rates as text and times as numbers."""
    if isinstance(value, dict):
        return {key: as_in_results(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [as_in_results(part) for part in value]
    if isinstance(value, float) and name in TIMES:
        return str(value)
    return float(value) if isinstance(value, str) and RATE.fullmatch(value) else value


def fewest(operation: Operation) -> Arguments:
    required = operation.input_schema.get("required", [])
    return {
        **minimal(operation),
        **{name: value for name, value in CHOSEN.get(operation.name, {}).items() if name in required},
    }


async def test_the_fewest_arguments_are_answered_in_the_documented_shape() -> None:
    assert await undocumented(fewest) == []


async def test_all_arguments_are_answered_in_the_documented_shape() -> None:
    assert await undocumented(maximal) == []


def test_every_handler_is_of_an_operation() -> None:
    assert set(HANDLERS) <= set(catalogue().names)


def test_what_the_call_named_is_said_back() -> None:
    call = SimulatedRequest(
        catalogue().find("get_ip"), {"ip": "192.0.2.99"}, "https://api.mailgun.net/v3/ips/192.0.2.99"
    )
    assert documented_reply(account_with_everything(), call).data["ip"] == "192.0.2.99"


@pytest.mark.parametrize(
    ("name", "is_moment"),
    [
        ("created_at", True),
        ("createdAt", True),
        ("first-seen", True),
        ("end", True),
        ("timestamp", True),
        ("format", False),
        ("send", False),
        ("stat", False),
        ("data", False),
    ],
)
def test_moments_are_told_by_their_names(name: str, is_moment: bool) -> None:
    assert bool(MOMENT.search(name)) is is_moment
