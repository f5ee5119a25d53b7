"""Shows in Markdown how the tools that a client is shown differ from those of another commit.

    python .ci/tools_diff.py origin/main

It runs the server of both, from their files, with the packages of this environment.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from difflib import unified_diff
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PATIENCE = 60
"""Seconds for a server to list its tools."""
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tools-diff", "version": "1"}}
FRAMES = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": CLIENT},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
]

Tools = dict[str, Any]
"""Name of a tool -> how `tools/list` describes it."""


def listed(checkout: Path) -> Tools:
    """Return the tools that the server of a checkout lists."""
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run(
            [sys.executable, "-m", "mailgun_mcp", "serve", "--simulator", "--state", state],
            input="".join(json.dumps(frame) + "\n" for frame in FRAMES),
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        if answer.get("id") == 2:
            return {tool["name"]: tool for tool in answer["result"]["tools"]}
    raise SystemExit(f"The server in {checkout} listed no tools:\n{done.stderr}")


def at(commit: str) -> Tools:
    """Return the tools of a commit, checked out beside this checkout for a moment."""
    with tempfile.TemporaryDirectory() as directory:
        checkout = Path(directory) / "checkout"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(checkout), commit], cwd=ROOT, check=True)
        try:
            return listed(checkout)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(checkout)], cwd=ROOT, check=True)


def report(before: Tools, after: Tools) -> str:
    """Return the difference between two lists of tools as Markdown."""
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    changed = [name for name in after if name in before and before[name] != after[name]]
    if not (added or removed or changed):
        return "The tools are the same.\n"
    lines = [
        "| tools | before | after |",
        "| --- | --- | --- |",
        f"| number | {len(before)} | {len(after)} |",
        f"| bytes of JSON | {_size(before)} | {_size(after)} |",
        "",
    ]
    lines += [f"Added: {_names(added)}", ""] if added else []
    lines += [f"Removed: {_names(removed)}", ""] if removed else []
    for name in changed:
        lines += [f"<details><summary>Changed: <code>{name}</code></summary>", "", "```diff"]
        lines += unified_diff(_text(before[name]), _text(after[name]), "before", "after", lineterm="")
        lines += ["```", "", "</details>", ""]
    return "\n".join(lines) + "\n"


def _size(tools: Tools) -> int:
    return len(json.dumps(list(tools.values()), separators=(",", ":"), ensure_ascii=False).encode())


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _text(tool: Any) -> list[str]:
    return json.dumps(tool, indent=2, ensure_ascii=False).splitlines()


def main() -> None:
    """Print the difference to the commit that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="what to compare with, such as origin/main")
    sys.stdout.write(report(at(parser.parse_args().commit), listed(ROOT)))


if __name__ == "__main__":
    main()
