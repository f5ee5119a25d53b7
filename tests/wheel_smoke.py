"""Tries the installed package as a user would; run outside the checkout by `make wheel`."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import mailgun_mcp

COMMAND = str(Path(sys.executable).with_name("mailgun-mcp"))


def call(*arguments: str, stdin: str = "") -> str:
    """Return what the command prints; a failure ends the run."""
    done = subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        sys.exit(f"mailgun-mcp {' '.join(arguments)} exited {done.returncode}:\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Check version, tools, a call and the stdio server."""
    assert "site-packages" in mailgun_mcp.__file__, mailgun_mcp.__file__
    assert version(mailgun_mcp.DISTRIBUTION) == mailgun_mcp.__version__
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
    assert listed > tools >= 225
    print(f"wheel: {listed} tools over stdio, {len(domains['items'])} domains in the simulator")


if __name__ == "__main__":
    main()
