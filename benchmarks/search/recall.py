"""How often the right tool is among the first hits of a search, beside other ways to search.

    python -m benchmarks.search.recall [--peers PYTHON] [--misses]

`questions-*.tsv` have what three kinds of people would ask, and the tools that answer it: any of them counts. They were
written from the names of the tools alone, without their descriptions and phrases. Who improves the search reads those of
`questions-tuned.tsv` only, and may add to them. Those of `questions-held-out.tsv` are reported. PYTHON is an interpreter whose environment has `fastmcp` and `rank_bm25`.
Exit code 1 when a limit is broken.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from mailgun_mcp.catalogue.search.index import SearchIndex, compiled_index

HERE = Path(__file__).parent
HELD_OUT, TUNED = "held-out", "tuned"
FIRST = (1, 5, 8)
LIMIT_ALL, LIMIT_TOOLSET = 0.85, 0.95
"""Minimum recall at 5 for held-out English questions: among all tools, and within the right toolset."""
FIRST_SEARCH_MS, SEARCH_MS = 20.0, 5.0
RESAMPLES = 1000

Rank = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Question:
    """A question, and the tools that answer it."""

    half: str
    people: str
    language: str
    text: str
    tools: tuple[str, ...]

    def position(self, ranked: Sequence[str]) -> int | None:
        """Return the position of the first right tool in `ranked`, counted from 0. None if there is none."""
        return min((ranked.index(tool) for tool in self.tools if tool in ranked), default=None)


def read_questions() -> list[Question]:
    """Return all questions."""
    return [
        Question(half, row["people"], row["language"], row["question"], tuple(row["tools"].split(",")))
        for half in (HELD_OUT, TUNED)
        for row in csv.DictReader(_lines(half), delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


def _lines(half: str) -> list[str]:
    return (HERE / f"questions-{half}.tsv").read_text(encoding="utf-8").splitlines()


def listed_tools() -> dict[str, tuple[str, str]]:
    """Return tool name -> its toolset and description, from the compiled catalogue."""
    from mailgun_mcp.catalogue.compile.compiler import DATA

    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((DATA / "tools").glob("*.json"))]
    tools = [record["tool"] for document in documents for record in document["operations"]]
    return {tool["name"]: (tool["_meta"]["mailgun-mcp/toolset"], tool["description"]) for tool in tools}


def recall(positions: Sequence[int | None], first: int) -> float:
    """Return the share of questions whose tool is among the `first` hits."""
    return mean(position is not None and position < first for position in positions)


def interval(positions: Sequence[int | None], first: int) -> tuple[float, float]:
    """Return the bounds of a 95 % interval of the recall, by drawing samples from `positions` (bootstrap)."""
    draw = random.Random(0)
    drawn = sorted(recall(draw.choices(positions, k=len(positions)), first) for _ in range(RESAMPLES))
    return drawn[RESAMPLES // 40], drawn[-RESAMPLES // 40]


def reciprocal_rank(positions: Sequence[int | None]) -> float:
    """Return the mean reciprocal rank (MRR)."""
    return mean(0.0 if position is None else 1 / (1 + position) for position in positions)


def print_row(name: str, positions: Sequence[int | None]) -> None:
    """Print one line of the table."""
    low, high = interval(positions, 5)
    shares = " ".join(f"{recall(positions, first):6.2f}" for first in FIRST)
    print(f"{name:44} {len(positions):4} {shares}  [{low:.2f}-{high:.2f}] {reciprocal_rank(positions):6.2f}")


def among_toolset(index: SearchIndex, question: Question, toolsets: dict[str, str]) -> int | None:
    """Return the position of a right tool if the caller restricts the search to the toolset of the first right tool."""
    toolset = toolsets[question.tools[0]]
    chosen = {name for name, other in toolsets.items() if other == toolset}
    return question.position([name for name, _ in index.rank(question.text, chosen)])


def ranked_by_peers(python: str, questions: Sequence[Question]) -> dict[str, list[list[str]]]:
    """Return peer -> ranked names for each question, computed by another interpreter."""
    tools = [[name, description] for name, (_, description) in listed_tools().items()]
    request = json.dumps({"tools": tools, "questions": [question.text for question in questions]})
    answer = subprocess.run(
        [python, HERE / "peers.py"], input=request, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    ranked: dict[str, list[list[str]]] = json.loads(answer.stdout)
    return ranked


def print_times(questions: Sequence[Question]) -> bool:
    """Print how long a search takes, and return whether it is within the limits."""
    started = time.perf_counter()
    compiled_index.cache_clear()
    compiled_index().rank(questions[0].text)
    first = 1000 * (time.perf_counter() - started)
    index, times = compiled_index(), []
    for question in questions:
        started = time.perf_counter()
        index.rank(question.text)
        times.append(1000 * (time.perf_counter() - started))
    print(f"first search with its index {first:.1f} ms (limit {FIRST_SEARCH_MS:g}), then {median(times):.2f} ms (p50)")
    return first <= FIRST_SEARCH_MS and median(times) <= SEARCH_MS


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter with fastmcp and rank_bm25")
    parser.add_argument("--misses", action="store_true", help="print the tuned questions whose tool is not among five")
    options = parser.parse_args()
    questions, index = read_questions(), compiled_index()
    toolsets = {name: toolset for name, (toolset, _) in listed_tools().items()}
    positions = {q: q.position([name for name, _ in index.rank(q.text)]) for q in questions}
    if options.misses:
        for question, position in positions.items():
            if question.half == TUNED and (position is None or position > 4):
                best = ", ".join(name for name, _ in index.rank(question.text)[:4])
                print(f"{question.text}\n    wanted {', '.join(question.tools)} ({position}), found {best}")
        return 0
    held_out = [question for question in questions if question.half == HELD_OUT]
    english = [question for question in held_out if question.language == "en"]
    tuned = [q for q in questions if q.half == TUNED and q.language == "en"]
    print(f"{'':44} {'n':>4} {'at 1':>6} {'at 5':>6} {'at 8':>6}  {'at 5, 95 %':11} {'MRR':>6}")
    print_row("English, held out", [positions[q] for q in english])
    for people in dict.fromkeys(q.people for q in english):
        print_row(f"  {people}", [positions[q] for q in english if q.people == people])
    within = [among_toolset(index, q, toolsets) for q in english]
    print_row("English, held out, with the toolset", within)
    for language in dict.fromkeys(q.language for q in held_out if q.language != "en"):
        print_row(f"{language}, held out", [positions[q] for q in held_out if q.language == language])
    print_row("English, tuned", [positions[q] for q in tuned])
    if options.peers:
        for peer, ranked in ranked_by_peers(options.peers, english).items():
            print_row(f"{peer}: English, held out", [q.position(r) for q, r in zip(english, ranked, strict=True)])
    quick = print_times(questions)
    good = recall([positions[q] for q in english], 5) >= LIMIT_ALL and recall(within, 5) >= LIMIT_TOOLSET
    return 0 if quick and good else 1


if __name__ == "__main__":
    sys.exit(main())
