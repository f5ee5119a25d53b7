"""The checked-in form of every tool: `UPDATE_SNAPSHOTS=1` writes them anew, never in CI."""

import json
import os
from functools import cache
from pathlib import Path

import mcp_types as types

FOLDER = Path(__file__).parents[1] / "snapshots" / "tools"


def written(tool: types.Tool) -> str:
    """Return a tool as its snapshot holds it."""
    fields = tool.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@cache
def snapshots() -> dict[str, str]:
    """Return every snapshot by the name of its tool."""
    return {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}


def wants_update() -> bool:
    """Say whether the snapshots are to be written. Raises RuntimeError in CI, where they only are compared."""
    if not os.environ.get("UPDATE_SNAPSHOTS"):
        return False
    if os.environ.get("CI"):
        raise RuntimeError("UPDATE_SNAPSHOTS is set in CI: snapshots are written by a person who looks at the change")
    return True


def update(tools: dict[str, str]) -> None:
    """Make the folder hold exactly these snapshots."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in tools:
            path.unlink()
    for name, text in tools.items():
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    snapshots.cache_clear()
