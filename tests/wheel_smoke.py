"""Tries the installed package as a user would; run outside the checkout by `make wheel`."""

import json
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import mailgun_mcp

COMMAND = str(Path(sys.executable).with_name("mailgun-mcp"))


def call(*arguments: str, stdin: str = "") -> str:
    """Return what the command prints; a failure ends the run."""
    done = subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        sys.exit(f"mailgun-mcp {' '.join(arguments)} exited {done.returncode}:\n{done.stderr}")
    return done.stdout


DEVELOPMENT_ONLY = (
    "mailgun_mcp.catalogue.compile",
    "mailgun_mcp.docs",
    "mailgun_mcp.simulator.fidelity",
    "docs",
    "tests",
)
SPEC = {
    "openapi": "3.1.0",
    "paths": {"/v9/parcels": {"get": {"summary": "List parcels", "responses": {"200": {"description": "Done"}}}}},
}


def check_development_tools_are_absent() -> None:
    """The compiler, run without its sources, could only empty the catalogue."""
    assert [module for module in DEVELOPMENT_ONLY if find_spec(module)] == []
    compiler = [sys.executable, "-m", "mailgun_mcp.catalogue.compile"]
    done = subprocess.run(compiler, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No module named mailgun_mcp.catalogue.compile" in done.stderr


def check_a_damaged_installation_asks_to_be_repaired() -> None:
    """Without the compiled catalogue the command must say what to do, and not name a tool that isn't there."""
    data = Path(mailgun_mcp.__file__).with_name("_data") / "tools"
    aside = data.with_name("tools-aside")
    data.rename(aside)
    try:
        data.mkdir()
        done = subprocess.run([COMMAND, "tools", "list"], capture_output=True, text=True, timeout=60, check=False)
    finally:
        data.rmdir()
        aside.rename(data)
    assert done.returncode != 0
    assert "the installation is damaged, install the package again" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def main() -> None:
    """Check what is installed, version, tools, `--spec`, a call and the stdio server."""
    assert "site-packages" in mailgun_mcp.__file__, mailgun_mcp.__file__
    assert version(mailgun_mcp.DISTRIBUTION) == mailgun_mcp.__version__
    check_development_tools_are_absent()
    check_a_damaged_installation_asks_to_be_repaired()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spec.json"
        path.write_text(json.dumps(SPEC), encoding="utf-8")
        assert "list_parcels" in call("tools", "list", "--spec", str(path))
    assert call("--version").strip() == f"mailgun-mcp {mailgun_mcp.__version__}"
    tools = len(call("tools", "list").splitlines())
    domains = json.loads(call("tools", "call", "list_domains", "--simulator"))
    frames = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "smoke", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    answers = call("--simulator", stdin="".join(json.dumps(frame) + "\n" for frame in frames)).splitlines()
    listed = len(json.loads(answers[1])["result"]["tools"])
    assert listed == tools >= 249
    print(f"wheel: {listed} tools over stdio, {len(domains['items'])} domains in the simulator")


if __name__ == "__main__":
    main()
