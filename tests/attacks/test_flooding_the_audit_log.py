"""The attacker makes calls that are refused, as many and as large as they can, until what was done is pruned from the log."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.policy.profiles import profile
from tests.support.calls import run
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

LARGE: list[dict[str, Any]] = [
    {"domain": "mg.example.com", "address": "a" * 2_000_000},
    {"x" * 1_000_000: 1},
    {f"name{number}": "x" * 499 for number in range(20_000)},
    {"domain": {f"name{number}": "x" * 499 for number in range(20_000)}},
    {"domain": [["x" * 499] * 400] * 400},
]


async def test_many_refusals_take_a_few_entries(tmp_path: Path) -> None:
    services = recorded_services(Recorder(), policy=profile("read-only"), state=tmp_path / "state")
    for number in range(200):
        arguments = {"domain": "mg.example.com", "address": f"a{number}@example.com"}
        assert (await run(services, "delete_bounce", arguments)).kind == "refused"
    services.recorder.close()
    calls = list(services.audit_log.calls())
    assert len(calls) == 6
    assert calls[-1].result["count"] == 195
    assert calls[-1].outcome == "refused"


@pytest.mark.parametrize("arguments", LARGE, ids=["text", "name", "names", "object", "lists"])
async def test_a_large_refused_call_is_a_small_entry(arguments: dict[str, Any], tmp_path: Path) -> None:
    services = recorded_services(Recorder(), policy=profile("read-only"), state=tmp_path / "state")
    assert (await run(services, "delete_bounce", arguments)).is_error
    services.recorder.close()
    (entry,) = services.audit_log.entries()
    assert len(entry.body) < 5_000
