"""The distribution's name: one constant holds it, and nothing sends a reader to the stranger's package."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from mailgun_mcp import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
STRANGER = r"mailgun[-_]mcp(?:\[[\w,]*\])?(?![-\w./])"
"""The name as a distribution, not as the start of a longer name, a path or a file."""
INSTALLS = re.compile(
    rf"(?:pip[x3]?|uv tool|uv) (?:install|add|download|show)(?: -\S+)* [\"']?{STRANGER}"
    rf"|uvx(?: -(?!-from)\S+)* {STRANGER}"
    rf"|--(?:from|with)[= ][\"']?{STRANGER}"
    rf"|pipx run {STRANGER}"
    rf"|pypi\.org/(?:project|pypi|simple)/{STRANGER}"
    r"|\"identifier\": \"mailgun-mcp\""
    r"|^name = \"mailgun-mcp\"$"
    r"|version\(\"mailgun-mcp\"\)",
    re.MULTILINE,
)
BAD = [
    *("pip install mailgun-mcp", "pip install -U mailgun_mcp", "pip install 'mailgun-mcp[keyring]'", "uvx mailgun-mcp"),
    *("uv tool install mailgun-mcp", "uvx --from mailgun-mcp mailgun-mcp", "pipx run mailgun-mcp serve"),
    *("https://pypi.org/project/mailgun-mcp", 'name = "mailgun-mcp"', '"identifier": "mailgun-mcp"'),
]
GOOD = [
    *("pip install mailgun-mcp-server", "uvx --from . mailgun-mcp", "uvx --from dist/x.whl mailgun-mcp serve"),
    *("https://pypi.org/project/mailgun-mcp-server/", "pip install ./mailgun-mcp", "mailgun-mcp serve"),
    "pip install dist/mailgun_mcp_server-0.1.0-py3-none-any.whl",
]


@pytest.mark.parametrize("text", BAD)
def test_the_strangers_name_is_recognised(text: str) -> None:
    assert INSTALLS.search(text)


@pytest.mark.parametrize("text", GOOD)
def test_our_name_and_our_command_are_not(text: str) -> None:
    assert not INSTALLS.search(text)


def test_nothing_in_the_repository_installs_the_strangers_package() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    files = [ROOT / name for name in listed.stdout.decode().splitlines()]
    assert ROOT / "README.md" in files
    offending = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files
        if path != Path(__file__) and path.is_file()
        for found in INSTALLS.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert offending == []


def test_the_project_and_the_registry_entry_have_our_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    registry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    assert (project["name"], [package["identifier"] for package in registry["packages"]]) == (
        DISTRIBUTION,
        [DISTRIBUTION],
    )
    assert set(project["scripts"]) == {"mailgun-mcp", DISTRIBUTION}
