"""Installs the official TypeScript SDK for `floor_typescript.mjs` into a separate directory."""

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
DIRECTORY = HERE.parent / "build" / "typescript-floor"
SERVER = HERE / "floor_typescript.mjs"
SDK = "1.32.2"
"""The measured release of `@modelcontextprotocol/sdk`. It supports only the older protocol version."""
PACKAGES = {"@modelcontextprotocol/sdk": SDK, "zod": "4.6.7"}
PATIENCE = 300
"""Seconds after which npm is stopped."""


class MissingFloorError(Exception):
    """The server cannot be run here. The message says why."""


def command(directory: Path = DIRECTORY) -> list[str]:
    """Return the command that runs the server, after npm has installed the SDK. Raises MissingFloorError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise MissingFloorError("No TypeScript floor: node and npm are not installed.")
    directory.mkdir(parents=True, exist_ok=True)
    package = directory / "package.json"
    text = json.dumps({"name": "typescript-floor", "private": True, "type": "module", "dependencies": PACKAGES})
    installed = directory / "node_modules" / "@modelcontextprotocol" / "sdk"
    if not installed.is_dir() or not package.is_file() or package.read_text(encoding="utf-8") != text:
        package.write_text(text, encoding="utf-8")
        _install(npm, directory)
    shutil.copy(SERVER, directory)
    return [node, str(directory / SERVER.name)]


def _install(npm: str, directory: Path) -> None:
    options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            [npm, "install", *options], cwd=directory, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise MissingFloorError(f"No TypeScript floor: npm took more than {PATIENCE} seconds.") from None
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise MissingFloorError(f"No TypeScript floor: npm cannot install it ({reason}).")
