"""Put real client libraries through the same five questions, and write what they answer to docs/clients/tested.json.

Each library gets an environment of its own, from the package registries, below `build/clients` (or `--environments`).
None of them is a dependency of the project. The server is started by the library, as its users would, against a
simulator that runs beside it. Then `python -m docs.generate` writes the table in docs/clients/README.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mailgun_mcp import __version__

ROOT = Path(__file__).resolve().parents[2]
PROBES = Path(__file__).parent / "probes"
RESULTS = ROOT / "docs" / "clients" / "tested.json"
PATIENCE = 300
"""Seconds after which a probe is stopped."""


@dataclass(frozen=True, slots=True)
class Library:
    """One row of the table."""

    title: str
    probe: str
    packages: tuple[str, ...]
    """The packages to install. The first is the library itself, whose version the table shows."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        return re.sub(r"[^a-z0-9<>=]+", "-", self.packages[0].lower()).strip("-")

    @property
    def node(self) -> bool:
        return self.probe.endswith(".mjs")


LIBRARIES = (
    Library("Python SDK 2", "python_sdk.py", ("mcp>=2",)),
    Library("Python SDK 1", "python_sdk_1.py", ("mcp<2",)),
    Library("TypeScript SDK 2", "typescript.mjs", ("@modelcontextprotocol/client",), {"PROBE_SDK": "2"}),
    Library("TypeScript SDK 1", "typescript.mjs", ("@modelcontextprotocol/sdk",), {"PROBE_SDK": "1"}),
    Library("FastMCP client", "fastmcp_client.py", ("fastmcp",)),
    Library("openai-agents", "openai_agents.py", ("openai-agents",)),
    Library("openai-agents, strict schemas", "openai_agents.py", ("openai-agents",), {"PROBE_STRICT": "1"}),
    Library("langchain-mcp-adapters", "langchain_mcp.py", ("langchain-mcp-adapters",)),
    Library("pydantic-ai", "pydantic_ai_mcp.py", ("pydantic-ai-slim[mcp]",)),
    Library(
        "google-genai, with Python SDK 2", "converter.py", ("google-genai", "mcp"), {"PROBE_CONVERTER": "google-genai"}
    ),
    Library("anthropic, with Python SDK 2", "converter.py", ("anthropic[mcp]",), {"PROBE_CONVERTER": "anthropic"}),
    Library("openai, with Python SDK 2", "converter.py", ("openai", "mcp"), {"PROBE_CONVERTER": "openai"}),
)


def main() -> int:
    """Run the probes. Return 1 if one could not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--environments", default=str(ROOT / "build" / "clients"), help="where to install the libraries"
    )
    parser.add_argument("--only", default="", help="run the rows whose title contains this, and keep the others")
    arguments = parser.parse_args()
    rows = {row["client"]: row for row in (_load() if arguments.only else {}).get("rows", [])}
    failed = False
    for library in LIBRARIES:
        if arguments.only not in library.title:
            continue
        try:
            rows[library.title] = _row(library, Path(arguments.environments).absolute() / library.directory)
            print(json.dumps(rows[library.title]), flush=True)
        except subprocess.SubprocessError as error:
            failed = True
            print(f"{library.title}: {error}\n{str(getattr(error, 'stderr', ''))[-2000:]}", file=sys.stderr, flush=True)
    order = [library.title for library in LIBRARIES]
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "tools": _tool_count(),
        "rows": sorted(rows.values(), key=lambda row: order.index(row["client"])),
    }
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _load() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    return document


def _tool_count() -> int:
    from mailgun_mcp.catalogue.builtin_tools import offered
    from mailgun_mcp.catalogue.catalogue import Catalogue

    catalogue = Catalogue.load()
    return len(catalogue) + len(offered(catalogue))


def _row(library: Library, directory: Path) -> dict[str, Any]:
    runner, version = _node(library, directory) if library.node else _python(library, directory)
    with TemporaryDirectory(prefix="mailgun-mcp-probe-") as home, _simulator() as url:
        server = {
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "MAILGUN_MCP_STATE": f"{home}/state",
            "MAILGUN_API_URL": url,
            "MAILGUN_API_KEY": "key-of-the-probe",
        }
        env = {
            **os.environ,
            **library.environment,
            "PROBE_COMMAND": json.dumps([sys.executable, "-m", "mailgun_mcp", "serve"]),
            "PROBE_ENVIRONMENT": json.dumps(server),
            "PROBE_SIMULATOR": url,
        }
        done = _run([*runner, str(directory / library.probe) if library.node else str(PROBES / library.probe)], env)
    return {"client": library.title, "version": version, **json.loads(done.splitlines()[-1])}


def _python(library: Library, directory: Path) -> tuple[list[str], str]:
    """Install the library from PyPI. Return the command that runs its probe, and the installed version."""
    python = str(directory / "bin" / "python")
    if not Path(python).is_file():
        venv.create(directory, with_pip=True)
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *library.packages])
    name = re.split(r"[<>=\[]", library.packages[0])[0]
    code = f"import importlib.metadata; print(importlib.metadata.version({name!r}))"
    return [python], _run([python, "-c", code]).strip()


def _node(library: Library, directory: Path) -> tuple[list[str], str]:
    """Install the library from npm. Return the command that runs its probe, and the installed version."""
    directory.mkdir(parents=True, exist_ok=True)
    package = directory / "node_modules" / library.packages[0] / "package.json"
    if not package.is_file():
        (directory / "package.json").write_text('{"private": true}', encoding="utf-8")
        _run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(directory), *library.packages])
    # Node looks for packages next to the script.
    (directory / library.probe).write_bytes((PROBES / library.probe).read_bytes())
    return ["node"], str(json.loads(package.read_text(encoding="utf-8"))["version"])


@contextmanager
def _simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "mailgun_mcp", "simulator", "--port", "0", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"listens on (http://\S+)", process.stdout.readline())
        assert found, "the simulator did not start"
        yield found[1]
    finally:
        process.terminate()
        process.communicate()


def _run(command: Sequence[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
