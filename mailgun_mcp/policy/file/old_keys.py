"""Keys of a policy file that were renamed: the old word is still read for one release, and shown nowhere."""

from collections.abc import Iterator
from typing import Any

from mailgun_mcp.text.yaml import YamlDocument, YamlPath

RENAMED: dict[tuple[str, ...], dict[str, str]] = {
    (): {"journal": "audit"},
    ("rules", "*", "match"): {"caller": "principal"},
    ("undo",): {"beyond": "too_many"},
    ("tests", "*", "facts"): {"caller": "principal"},
}
"""Where a mapping is in the file -> its old keys with their new names."""


def with_new_keys(document: YamlDocument) -> YamlDocument:
    """Return the document with the new name of each old key, at the same line."""
    renamed: dict[YamlPath, YamlPath] = {}
    problems = list(document.problems)
    for pattern, names in RENAMED.items():
        for path, mapping in _mappings(document.value, pattern, ()):
            for old, new in names.items():
                if old in mapping and new in mapping:
                    problems.append((document.line((*path, old)), f"{old!r} is the old name of {new!r}: keep one"))
                elif old in mapping:
                    renamed[(*path, old)] = (*path, new)
    if not renamed:
        return YamlDocument(document.value, document.lines, tuple(problems))
    lines = {_moved(path, renamed): line for path, line in document.lines.items()}
    return YamlDocument(_rebuilt(document.value, (), renamed), lines, tuple(problems))


def _mappings(value: Any, pattern: tuple[str, ...], path: YamlPath) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    if not pattern:
        if isinstance(value, dict):
            yield path, value
    elif pattern[0] == "*":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _mappings(item, pattern[1:], (*path, index))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _mappings(value[pattern[0]], pattern[1:], (*path, pattern[0]))


def _moved(path: YamlPath, renamed: dict[YamlPath, YamlPath]) -> YamlPath:
    for old, new in renamed.items():
        if path[: len(old)] == old:
            return (*new, *path[len(old) :])
    return path


def _rebuilt(value: Any, path: YamlPath, renamed: dict[YamlPath, YamlPath]) -> Any:
    if isinstance(value, dict):
        return {
            str(renamed.get((*path, key), (key,))[-1]): _rebuilt(item, (*path, key), renamed)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_rebuilt(item, (*path, index), renamed) for index, item in enumerate(value)]
    return value
