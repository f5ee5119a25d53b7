"""`tests/` mirrors the package, and what test files share is in `tests/support`."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mailgun_mcp

PACKAGE = Path(mailgun_mcp.__file__).parent
TESTS = Path(__file__).parent

CORE = (
    *("agent", "audit", "call", "catalogue", "cli", "confirm", "evals", "identity", "mailgun", "output"),
    *("policy", "request", "server", "store", "text", "undo", "web"),
)

TESTED_ELSEWHERE = {
    "call/current_call.py": "call/test_pipeline.py",
    "call/preview_target.py": "call/test_pipeline.py",
    "call/services.py": "call/test_pipeline.py",
    "call/undo_operation.py": "call/test_builtin_calls.py",
    "catalogue/compile/__main__.py": "catalogue/compile/test_compile.py",
    "catalogue/compile/compiler.py": "catalogue/compile/test_compile.py",
    "catalogue/openapi/bodies.py": "catalogue/openapi/test_importer.py",
    "catalogue/openapi/operations.py": "catalogue/openapi/test_importer.py",
    "catalogue/openapi/references.py": "catalogue/openapi/test_importer.py",
    "store/migrations.py": "store/test_old_state.py",
}
"""Module -> the test file that shows what it does, where a file of its own would only repeat that.

This list may only shrink: a new module gets a test file.
"""

MISSING: dict[str, str] = {}
"""Module whose test file is still to be written -> what is known of it until then. It may only shrink."""

NOTHING_TO_TEST = {
    "agent/errors.py": "exception classes",
    "agent/events.py": "a data class",
    "agent/options.py": "constants",
    "catalogue/errors.py": "exception classes",
    "catalogue/types.py": "type aliases",
    "server/context.py": "a type alias",
    "store/connection.py": "protocols",
    "cli/exits.py": "constants",
}


def modules() -> Iterator[str]:
    for room in CORE:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            if path.name != "__init__.py":
                yield str(path.relative_to(PACKAGE))


def own_file(module: str) -> Path:
    path = TESTS / module
    return path.with_name(f"test_{path.name}")


def test_each_module_of_the_core_has_a_test_file() -> None:
    listed = {*TESTED_ELSEWHERE, *NOTHING_TO_TEST, *MISSING}
    assert [module for module in modules() if not own_file(module).is_file() and module not in listed] == []


def test_the_exceptions_are_still_needed() -> None:
    exceptions = {*TESTED_ELSEWHERE, *NOTHING_TO_TEST, *MISSING}
    assert sorted(exceptions - set(modules())) == []
    assert [module for module in exceptions if own_file(module).is_file()] == []
    assert [path for path in TESTED_ELSEWHERE.values() if not (TESTS / path).is_file()] == []


@cache
def imports() -> list[tuple[Path, ast.ImportFrom]]:
    """Return what the tests import from one another, with the file that does."""
    return [
        (path.relative_to(TESTS), node)
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.")
    ]


def test_no_test_imports_another_test() -> None:
    modules = [(path, node.module or "") for path, node in imports()]
    assert [(path, name) for path, name in modules if name.rpartition(".")[2].startswith("test_")] == []


def test_no_test_imports_what_another_keeps_private() -> None:
    names = [(path, alias.name) for path, node in imports() for alias in node.names]
    assert [(path, name) for path, name in names if name.startswith("_")] == []
