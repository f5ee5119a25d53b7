"""Two MCP clients from a registry use prompts, skills, workflow tools and search mode, each started as its users would."""

import json
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.support.sdk import CACHE, ROOT, need_command, run, without

pytestmark = pytest.mark.slow

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
FASTMCP = "fastmcp==4.1.2"
SERVER = (sys.executable, "-m", "mailgun_mcp", "serve", "--simulator")
DOMAIN = "mail.example.com"
PROBE = ROOT / "benchmarks" / "clients" / "probes" / "fastmcp_session.py"


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the Inspector, with the packages that it needs."""
    folder = CACHE / "inspector-cli-2.12.0"
    command = folder / "node_modules" / ".bin" / "mcp-inspector"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = need_command("npm", provided=True)
        flags = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
        done = run([npm, "install", *flags, INSPECTOR], folder)
        if done.returncode or not command.exists():
            without(f"`npm install {INSPECTOR}` failed: {done.stderr[-400:]}", provided=False)
    return command


@pytest.fixture(scope="module")
def fastmcp() -> Path:
    """An interpreter that has FastMCP."""
    folder = CACHE / "fastmcp-4.1.2"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder)
        # Without a pip of its own, and without compiling what the session never imports: both take most of the time.
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
        done = run([*pip, "install", "-q", "--no-compile", FASTMCP], CACHE)
        if done.returncode:
            without(f"`pip install {FASTMCP}` failed: {done.stderr[-400:]}", provided=False)
        (folder / "installed").touch()
    return python


def inspected(inspector: Path, home: Path, method: str, *arguments: str, server: tuple[str, ...] = ()) -> Any:
    """Return what the Inspector got for one request."""
    command = [str(inspector), "--cli", "-q", "--format", "json", "--method", method, *arguments]
    done = run([*command, "--", *SERVER, "--state", str(home), *server], home, HOME=str(home))
    assert done.returncode == 0, done.stderr or done.stdout
    return json.loads(done.stdout)["result"]


def test_the_inspector_uses_prompts_skills_and_workflow_tools(inspector: Path, tmp_path: Path) -> None:
    prompt = inspected(
        inspector, tmp_path, "prompts/get", "--prompt-name", "diagnose_delivery", "--prompt-args", f"domain={DOMAIN}"
    )
    assert f"Find out why mail from {DOMAIN} does not arrive." in prompt["messages"][0]["content"]["text"]
    skill = inspected(inspector, tmp_path, "resources/read", "--uri", "skill://mailgun-dns/SKILL.md")
    assert skill["contents"][0]["text"].startswith('---\nname: "mailgun-dns"\n')
    health = inspected(
        inspector,
        tmp_path,
        "tools/call",
        *("--tool-name", "check_domain_health", "--tool-args-json", json.dumps({"domain": DOMAIN})),
    )
    assert health["structuredContent"]["facts"]["state"] == "active"


def test_the_inspector_uses_search_mode(inspector: Path, tmp_path: Path) -> None:
    found = inspected(
        inspector,
        tmp_path,
        "tools/call",
        *("--tool-name", "search_tools", "--tool-args-json", json.dumps({"queries": ["who complained about us"]})),
        server=("--mode", "search"),
    )
    assert "list_complaints" in json.dumps(found["structuredContent"])


def test_fastmcp_uses_all_of_them_in_one_session(fastmcp: Path, tmp_path: Path) -> None:
    server = (*SERVER, "--state", str(tmp_path), "--mode", "search")
    done = run([str(fastmcp), str(PROBE), *server], tmp_path, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr[-2_000:]
    seen = json.loads(done.stdout)
    assert len(seen["tools"]) == 11
    assert len(seen["prompts"]) == 15
    assert DOMAIN in seen["prompt"]
    assert "explain_delivery" in seen["skill"]
    assert "chart_metrics" in json.dumps(seen["found"])
    assert seen["explained"]["summary"]
    assert DOMAIN in json.dumps(seen["domains"])
    assert seen["chart"] == ["text", "image"]
