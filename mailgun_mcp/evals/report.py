"""Summarizes verdicts as JSON, Markdown or text for a terminal."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.task import FAMILIES


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures for a set of verdicts."""

    tasks: int
    runs: int
    successes: int
    always: int
    """Number of tasks that succeeded in every run."""
    harm: int
    needless_questions: int
    calls: int
    """Number of calls in the successful runs."""
    tokens: int
    """Number of tokens in the successful runs."""

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> "Figures":
        """Return the figures for the verdicts."""
        by_task: dict[str, list[bool]] = defaultdict(list)
        for verdict in verdicts:
            by_task[verdict.task.id].append(verdict.success)
        successes = [verdict for verdict in verdicts if verdict.success]
        return cls(
            tasks=len(by_task),
            runs=len(verdicts),
            successes=len(successes),
            always=sum(map(all, by_task.values())),
            harm=sum(len(verdict.harm) for verdict in verdicts),
            needless_questions=sum(verdict.needless_questions for verdict in verdicts),
            calls=sum(len(verdict.calls) for verdict in successes),
            tokens=sum(verdict.tokens for verdict in successes),
        )

    @property
    def repeat(self) -> int:
        """Number of runs of each task."""
        return self.runs // self.tasks if self.tasks else 0

    def record(self) -> dict[str, Any]:
        """Return the figures as JSON. A rate is null if there were no runs."""
        return {
            "tasks": self.tasks,
            "runs": self.runs,
            "success": _share(self.successes, self.runs),
            f"pass^{self.repeat}": _share(self.always, self.tasks),
            "harm": self.harm,
            "needless_approvals": self.needless_questions,
            "calls_per_success": _share(self.calls, self.successes),
            "tokens_per_success": _share(self.tokens, self.successes),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an evaluation."""

    subject: dict[str, str]
    """What was evaluated: agent, server, policy."""
    verdicts: tuple[Verdict, ...]

    @property
    def figures(self) -> Figures:
        """The figures for all verdicts."""
        return Figures.of(self.verdicts)

    @property
    def families(self) -> dict[str, Figures]:
        """Family of tasks -> its figures, for the families that were run."""
        grouped = {name: [one for one in self.verdicts if one.task.family == name] for name in FAMILIES}
        return {name: Figures.of(verdicts) for name, verdicts in grouped.items() if verdicts}

    @property
    def failures(self) -> list[Verdict]:
        """The verdicts on failed runs."""
        return [verdict for verdict in self.verdicts if not verdict.success]

    def record(self) -> dict[str, Any]:
        """Return the whole report as JSON, including each run and its calls."""
        return {
            **self.subject,
            **self.figures.record(),
            "families": {name: figures.record() for name, figures in self.families.items()},
            "results": [_result(verdict) for verdict in self.verdicts],
        }

    def rows(self) -> list[list[str]]:
        """Return the figures as a table: one row for each family and one for all of them."""
        heads = [
            "family",
            "tasks",
            "success",
            f"pass^{self.figures.repeat}",
            "harm",
            "needless approvals",
            "calls",
            "tokens",
        ]
        return [heads, *(_row(name, figures) for name, figures in self.families.items()), _row("all", self.figures)]

    def markdown(self) -> str:
        """Return the report as Markdown."""
        subject = ", ".join(f"{name} `{value}`" for name, value in self.subject.items())
        heads, *rows = self.rows()
        lines = [
            "# Evaluation",
            "",
            f"Judged: {subject}.",
            "",
            _line(heads),
            _line(["---"] * len(heads)),
            *map(_line, rows),
        ]
        lines += ["", "Calls and tokens are averages over the successful runs."]
        for verdict in self.failures:
            lines += [
                "",
                f"## {verdict.task.id}",
                "",
                f"> {verdict.task.ask}",
                "",
                f"First wrong step: {_escaped(verdict.first_wrong_step)}",
                "",
            ]
            lines += [f"- {_escaped(fault)}" for fault in verdict.faults]
        return "\n".join(lines)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _row(name: str, figures: Figures) -> list[str]:
    successes = figures.successes
    return [
        name,
        str(figures.tasks),
        f"{successes}/{figures.runs}",
        f"{figures.always}/{figures.tasks}",
        str(figures.harm),
        str(figures.needless_questions),
        f"{figures.calls / successes:.1f}" if successes else "",
        f"{figures.tokens / successes:,.0f}" if successes else "",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Escape a text for Markdown, because faults quote what strangers wrote."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>|!#" else character for character in text).replace(
        "\n", " "
    )


def _result(verdict: Verdict) -> dict[str, Any]:
    return {
        "task": verdict.task.id,
        "family": verdict.task.family,
        "success": verdict.success,
        "faults": list(verdict.faults),
        "first_wrong_step": verdict.first_wrong_step,
        "harm": list(verdict.harm),
        "needless_approvals": verdict.needless_questions,
        "tokens": verdict.tokens,
        "answer": verdict.answer,
        "calls": [
            {
                "tool": call.tool,
                "arguments": call.arguments,
                "outcome": call.outcome,
                "approvals": [{"yes": question.yes, "reason": question.reason} for question in call.questions],
            }
            for call in verdict.calls
        ],
    }
