"""Turns of phrase that a reader stumbles over, which a spell checker does not know."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROSE = ("*.md", "*.py", "*.yaml", "*.yml", "Makefile")
GENERATED = ("mailgun_mcp/_data/", "tests/")

BETTER = {
    r"\b(?:is|was|are|were|be) no (?!longer\b|more\b|such\b|one\b|need\b)[a-z]": "is not a ...",
    r"\bof which nobody\b": "... that nobody",
    r"\b(?:nothing|none|no one|not|all|else|same|stays?), but for\b|\bbut for (?:a|an|the|what|its|their)\b": "except for",
    r"\bbegins? anew\b": "start over",
    r"\banew\b": "again",
    r"\bundoable\b": "can be undone",
    r"\bno time at all\b": "not a time",
    r"\bgone on with\b": "continued",
    r"\bbelongs in no\b": "does not belong in any",
    r"\bin the box\b": "simulated",
}
"""Pattern -> what to write instead. `there is no ...` is plain English, and passes."""


def prose() -> list[Path]:
    """Return the files under version control that people read or write."""
    done = subprocess.run(["git", "ls-files", "-z", *PROSE], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is not a git checkout")
    names = [name for name in done.stdout.split("\0") if name and not name.startswith(GENERATED)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_banned_turn_of_phrase_is_used() -> None:
    offenders = []
    for path in prose():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            plain = re.sub(r"\b(?:there|There) (?:is|was|are|were|be) no\b", "", line)
            for pattern, better in BETTER.items():
                if found := re.search(pattern, plain):
                    offenders.append(f"{path.relative_to(ROOT)}:{number}: {found[0]!r}: write {better!r}")
    assert offenders == []


@pytest.mark.parametrize("text", ["this is no account", "begin anew", "all but for a number", "It is undoable."])
def test_the_patterns_find_what_they_are_for(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in BETTER)
