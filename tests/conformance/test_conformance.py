"""The official MCP conformance suite against the real server over HTTP, in both protocol revisions.

A scenario that asks for a fixture (a tool called `test_simple_text`, a resource `test://…`) cannot pass on a
server that has a job; the others have to. The suite's own verdict does not tell the two apart, its checks do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.to_thread import run_sync

from tests.conformance.suite import found_in, ran, suite_command
from tests.support.processes import environment, http_server

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.slow]

PASSED = frozenset({"SUCCESS", "INFO", "SKIPPED"})


@dataclass(frozen=True)
class Revision:
    """The scenarios that a revision's run must hold: those that must pass whole, and those that ask for a fixture."""

    passing: frozenset[str]
    fixtures: frozenset[str]
    missing: frozenset[str] = frozenset()
    """Checks of passing scenarios that ask for a fixture."""


FIXTURES = frozenset(
    {
        "json-schema-2020-12",
        "prompts-get-embedded-resource",
        "prompts-get-simple",
        "prompts-get-with-args",
        "prompts-get-with-image",
        "resources-read-binary",
        "resources-read-text",
        "resources-templates-read",
        "tools-call-audio",
        "tools-call-embedded-resource",
        "tools-call-error",
        "tools-call-image",
        "tools-call-mixed-content",
        "tools-call-simple-text",
        "tools-call-with-progress",
    }
)
GENERIC = frozenset(
    {
        "completion-complete",
        "dns-rebinding-protection",
        "prompts-list",
        "resources-list",
        "server-sse-multiple-streams",
        "tools-list",
    }
)
RAW = frozenset(
    {
        "dns-rebinding-protection",
        "server-session-lifecycle",
        "server-sse-multiple-streams",
        "server-sse-polling",
        "server-stateless",
    }
)
"""Scenarios that look at HTTP itself and do not check answers against the schema."""
REVISIONS = {
    "2025-11-25": Revision(
        passing=GENERIC | {"ping", "server-initialize", "server-session-lifecycle"},
        fixtures=FIXTURES
        | {
            "elicitation-sep1034-defaults",
            "elicitation-sep1330-enums",
            "server-sse-polling",
            "tools-call-elicitation",
            "tools-call-sampling",
            "tools-call-with-logging",
            # Of capabilities that the server does not declare.
            "logging-set-level",
            "resources-subscribe",
            "resources-unsubscribe",
        },
    ),
    "2026-07-28": Revision(
        passing=GENERIC
        | {
            "caching",
            "http-header-validation",
            "input-required-result-unsupported-methods",
            "input-required-result-validate-input",
            "sep-2164-resource-not-found",
            "server-stateless",
        },
        fixtures=FIXTURES
        | {
            "input-required-result-basic-elicitation",
            "input-required-result-basic-list-roots",
            "input-required-result-basic-sampling",
            "input-required-result-capability-check",
            "input-required-result-ignore-extra-params",
            "input-required-result-missing-input-response",
            "input-required-result-multi-round",
            "input-required-result-multiple-input-requests",
            "input-required-result-non-tool-request",
            "input-required-result-request-state",
            "input-required-result-result-type",
            "input-required-result-tampered-state",
            # Of a tool with an `x-mcp-header` property.
            "http-custom-header-server-validation",
        },
        missing=frozenset(
            {
                "sep-2575-http-server-no-independent-requests-on-stream",
                "sep-2575-missing-capability-http-400",
                "sep-2575-server-no-log-without-loglevel",
                "sep-2575-server-rejects-undeclared-capability",
            }
        ),
    ),
}


@pytest.fixture(scope="module")
def suite() -> list[str]:
    return suite_command()


@pytest.mark.parametrize("name", REVISIONS)
async def test_every_scenario_that_needs_no_fixture_passes(name: str, suite: list[str], tmp_path: Path) -> None:
    checks = await checks_of(name, suite, tmp_path)
    revision = REVISIONS[name]
    assert set(checks) == revision.passing | revision.fixtures
    assert {scenario: failed(checks[scenario], revision.missing) for scenario in revision.passing} == {
        scenario: [] for scenario in revision.passing
    }
    assert {check["id"] for scenario in revision.passing for check in checks[scenario]} >= revision.missing
    assert {scenario: wire(found) for scenario, found in checks.items()} == {
        scenario: [] if scenario in RAW else ["SUCCESS"] for scenario in checks
    }


async def checks_of(revision: str, suite: list[str], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the suite once and return the checks of each scenario."""
    async with http_server(["--transport", "http", "--simulator", "--without-token"], environment(folder)) as server:
        told = [
            "--url",
            f"{server.address}/mcp",
            "--suite",
            "all",
            "--spec-version",
            revision,
            "-o",
            str(folder / "out"),
        ]
        # The server's output is read by this loop, so the suite runs beside it.
        done = await run_sync(ran, [*suite, "server", *told])
    found = found_in(folder / "out")
    assert found, done.stderr
    return found


def failed(checks: list[dict[str, Any]], missing: frozenset[str]) -> list[tuple[str, str]]:
    return [
        (check["id"], str(check.get("errorMessage")))
        for check in checks
        if check["status"] not in PASSED and check["id"] not in missing
    ]


def wire(checks: list[dict[str, Any]]) -> list[str]:
    """Return the verdicts on whether every answer fits the revision's own schema."""
    return [check["status"] for check in checks if check["id"] == "wire-schema-valid"]
