"""Finds another distribution that installed files into `mailgun_mcp` in this environment.

A package that is not ours could run in our place and receive the API key. Only directory names and the lists of
installed files are read, so that a start can afford it: `importlib.metadata` would cost it 20 ms.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mailgun_mcp import DISTRIBUTION

PACKAGE = "mailgun_mcp"
SUFFIX = ".dist-info"


def foreign_owners(path: Iterable[str] | None = None, *, names_starting_with: str = "") -> list[str]:
    """Return the distributions other than ours that own files of `mailgun_mcp`, as `NAME in DIRECTORY`.

    `names_starting_with` limits the search to distributions whose name has that prefix, with `_` for `-`.
    """
    return [
        f"{name} in {directory}"
        for directory in dict.fromkeys(sys.path if path is None else path)
        for name, record in _distributions(directory or ".")
        if name.startswith(names_starting_with) and name != DISTRIBUTION.replace("-", "_") and _owns_package(record)
    ]


def warn_of_foreign_package() -> None:
    """Warn if another distribution has installed files here. The warning goes to stderr, which no transport uses."""
    for owner in foreign_owners(names_starting_with=PACKAGE):
        sys.stderr.write(f"mailgun-mcp: warning: {sentence(owner)}\n")


def sentence(owner: str) -> str:
    """Return a message with the problem and what to do about it."""
    return (
        f"the package {owner} is not {DISTRIBUTION} and also installs files into {PACKAGE}. "
        f"Files of both may be mixed. Uninstall both, then install {DISTRIBUTION} again."
    )


def _distributions(directory: str) -> Iterator[tuple[str, str]]:
    try:
        entries = [entry for entry in os.listdir(directory) if entry.endswith(SUFFIX)]
    except OSError:
        return
    for entry in entries:
        name = entry.removesuffix(SUFFIX).rpartition("-")[0]
        yield name.lower().replace("-", "_").replace(".", "_"), f"{directory}/{entry}/RECORD"


def _owns_package(record: str) -> bool:
    try:
        text = Path(record).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.startswith((f"{PACKAGE}/", f'"{PACKAGE}/')) for line in text.splitlines())
