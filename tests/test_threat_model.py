"""docs/threat-model.md names tests that exist, and every file of attacks."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def named() -> list[tuple[str, str]]:
    return NAMED.findall((ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8"))


def functions_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_each_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{test}"
        for path, test in named()
        if not (ROOT / path).is_file() or (test and test not in functions_of(ROOT / path))
    ]
    assert (missing, len(named()) > 20) == ([], True)


def test_each_file_of_attacks_is_named() -> None:
    files = {f"tests/attacks/{path.name}" for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert sorted(files - {path for path, _ in named()}) == []


def test_each_attack_says_what_remains() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    attacks = text.partition("## Attacks, one by one")[2].partition("\n## ")[0].split("\n**")[1:]
    assert [attack for attack in attacks if not ("\nTests: `" in attack and "\nRemains: " in attack)] == []
