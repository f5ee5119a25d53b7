"""The table of `benchmarks/speed.py`, the floors that cannot be had everywhere, and the grade of the tools."""

import re
import sys
from pathlib import Path

import pytest

from benchmarks import grader
from benchmarks.speed import Figures, lines, table
from benchmarks.typescript import MissingFloorError, command


def figures(start: float, calls: float) -> Figures:
    return {"start legacy": start, "rate legacy": calls}


def test_the_table_has_ratios_to_the_floor_and_says_which_limit_is_broken() -> None:
    rounds = [
        {"floor": figures(400, 1000), "ours": figures(100, 1500)},
        {"floor": figures(800, 1000), "ours": figures(100, 1700)},
        {"floor": figures(400, 1000), "ours": figures(120, 1600)},
    ]
    head, *rows = (re.split(r"\s{2,}", row.strip()) for row in table(lines(rounds)))
    assert head == ["floor", "mailgun-mcp", "ratio [min-max]", "limit"]
    assert rows == [
        ["start to first tools/list, 2025-11-25", "400 ms", "100 ms", "0.25 [0.12-0.30]", "<= 0.3", "kept"],
        ["calls with 32 in flight, 2025-11-25", "1000 /s", "1600 /s", "1.60 [1.50-1.70]", ">= 2.5", "BROKEN"],
    ]


def test_further_floors_have_a_column_each_and_a_dash_for_what_they_do_not_have() -> None:
    rounds = [
        {"floor": figures(400, 1000), "ours": figures(100, 1500), "TypeScript SDK": {"start legacy": 200.0}},
        {"floor": figures(400, 1000), "ours": figures(100, 1500), "TypeScript SDK": {"start legacy": 240.0}},
    ]
    head, start, calls = table(lines(rounds))
    assert head.endswith("TypeScript SDK")
    assert start.endswith("220 ms (0.55)")
    assert calls.endswith("  -")


@pytest.mark.parametrize(("times", "verdict"), [(1.9, "kept"), (2.1, "BROKEN")])
def test_a_limit_can_be_on_our_own_figure(times: float, verdict: str) -> None:
    rounds = [{"floor": {"late to rested": 1.0}, "ours": {"late to rested": times}}]
    assert table(lines(rounds))[-1].split()[-3:] == ["<=", "2", verdict]


def test_a_figure_that_the_system_does_not_tell_has_no_line() -> None:
    rounds = [{"floor": {"rss legacy": float("nan")}, "ours": {"rss legacy": float("nan")}}]
    assert lines(rounds) == []


def test_without_node_a_sentence_says_that_there_is_no_typescript_floor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingFloorError, match=r"^No TypeScript floor: node and npm are not installed\.$"):
        command(tmp_path)


def test_without_a_registry_a_sentence_says_why_there_is_no_typescript_floor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program, script in {"node": "exit 0", "npm": "echo 'npm error network: no registry' >&2; exit 1"}.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingFloorError, match=r"npm cannot install it \(npm error network: no registry\)\.$"):
        command(tmp_path / "installed")


def test_a_public_grader_rates_the_tools_at_least_as_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["grader"])
    assert grader.main() == 0, capsys.readouterr().out
