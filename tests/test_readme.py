"""What README and docs tell a reader to type works as it stands there."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.parser import command_parser, parse
from tests.support.forked import forked
from tests.support.processes import PATIENCE, environment
from tests.support.simulator_process import simulating, url_in

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PORT = "8025"
"""The simulator's own port, which the docs name."""
SMTP_PORT = "2525"

EXPECTED = {
    "mailgun-mcp serve --preset deliverability --read-only --region eu": exits.USAGE,
    "mailgun-mcp serve --transport http --port 8000 --policy strict": exits.USAGE,
    "mailgun-mcp chat --model anthropic:claude-sonnet-5-5": exits.USAGE,
    "mailgun-mcp chat --model ollama:qwen3 --simulator": exits.USAGE,
    "mailgun-mcp chat --model openai:NAME --model-url http://localhost:8080/v1": exits.USAGE,
    "mailgun-mcp whoami": exits.USAGE,
    "mailgun-mcp secrets reseal": exits.FAILED,
    "mailgun-mcp tools call clear_bounces domain=mail.example.com --simulator": exits.REFUSED,
    "mailgun-mcp approvals grant --match 'tool=delete_*,domain=staging.*' --for 20m": exits.USAGE,
    "mailgun-mcp simulator act open 7337ef29e10bb55a@mail.example.com": exits.FAILED,
    "mailgun-mcp spec diff mailgun-openapi.yaml": exits.USAGE,
    "mailgun-mcp health": exits.FAILED,
    "mailgun-mcp health --port 9000": exits.FAILED,
    "mailgun-mcp accounts rename us production": exits.USAGE,
    "mailgun-mcp accounts accept production": exits.USAGE,
    "mailgun-mcp accounts remove-key ann@example.com": exits.USAGE,
    "mailgun-mcp eval --task order-in-a-mail --agent obedient --policy unguarded": exits.FAILED,
    "mailgun-mcp eval --model anthropic:claude-sonnet-5-5 --mode search": exits.USAGE,
    "mailgun-mcp eval --model openai:gpt-6.1-sol --server 'mailgun-mcp serve --url {url} --policy {policy} --state {state}'": exits.USAGE,
    "mailgun-mcp eval my-tasks.yaml --task restore-webhook --format json": exits.USAGE,
}
"""Command line -> its exit code, where that is not 0: nobody confirms, and no such account, message, file, server, terminal, API key or model's key exists."""
ENDLESS = {"mailgun-mcp approvals watch"}
"""Command lines that run until they are interrupted."""
UNKNOWN = {"3r5u7c6e", "3r5u7c6epswn", "9k2m4p6q", "key-4f7Qw"}
"""IDs of the examples, which no state has."""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def command_lines(block: str) -> list[list[str]]:
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]


def starts_a_simulator(words: list[str]) -> bool:
    return words[:2] == ["mailgun-mcp", "simulator"] and all(word.startswith("-") for word in words[2:3])


SHELL = [(page, block) for page in PAGES for block in blocks(page, "sh")]
IDS = [f"{page.stem}: {block.splitlines()[0]}" for page, block in SHELL]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory that has the files which the docs name, and an MCP client."""
    (tmp_path / ".cursor").mkdir()
    (tmp_path / "team.yaml").write_text("version: 1\nextends: guarded\n", encoding="utf-8")
    for name in ("calls.jsonl", "heads.jsonl"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "mail.eml").write_text("From: a@mail.example.com\nSubject: hello\n\nhello\n", encoding="utf-8")
    return tmp_path


@dataclass(frozen=True)
class Simulator:
    """A running simulator."""

    url: str
    smtp: str


@pytest.fixture
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator with the account that the docs start it with, as no other block has changed it."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    with simulating(tmp_path_factory.mktemp("simulator"), "--scenario", "injection", "--smtp", port, start=forked) as (
        _,
        greeting,
    ):
        yield Simulator(url_in(greeting), f"smtp://127.0.0.1:{port}")


def run(words: list[str], home: Path, simulator: Simulator) -> "subprocess.CompletedProcess[str]":
    """Run one line. What the docs say to the simulator's ports goes to the simulator of the tests."""
    if words[0] == "curl":
        here = {f"http://127.0.0.1:{PORT}": simulator.url, f"smtp://127.0.0.1:{SMTP_PORT}": simulator.smtp}
        for documented, url in here.items():
            words = [word.replace(documented, url) for word in words]
        words = [*words, "--fail", "--silent"]
    elif words[1] == "simulator":
        words = forked(*words[1:], "--url", simulator.url)
    else:
        words = forked(*words[1:])
    # The real Mailgun is out of reach: `doctor` checks the simulator.
    env = environment(home, {"MAILGUN_MCP_SIMULATOR": "true"} if "doctor" in words else None)
    return subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), SHELL, ids=IDS)
def test_every_command_of_a_block_runs(page: Path, block: str, home: Path, simulator: Simulator) -> None:
    for words in command_lines(block):
        if words[0] in ("make", "pip") or starts_a_simulator(words):
            continue
        if shlex.join(words) in ENDLESS:
            parse(words[1:])
            continue
        if words[0] == "curl" and not shutil.which("curl"):
            pytest.skip("there is no curl")
        if words[0] == "curl" and "@account.json" in words:
            run(["mailgun-mcp", "simulator", "snapshot", "account.json"], home, simulator)
        if words[1:3] == ["audit", "verify"]:
            # A log without an entry is not verified.
            run(["mailgun-mcp", "tools", "call", "list_domains", "--simulator"], home, simulator)
        done = run(words, home, simulator)
        usual = exits.USAGE if UNKNOWN & set(words) else exits.OK
        assert done.returncode == EXPECTED.get(shlex.join(words), usual), (words, done.stdout, done.stderr)


def test_the_blocks_use_only_commands_that_are_tried() -> None:
    used = {words[0] for _, block in SHELL for words in command_lines(block)}
    assert used <= {"make", "pip", "mailgun-mcp", "curl"}


def test_the_simulator_starts_with_the_flags_of_the_docs() -> None:
    starts = [words for _, block in SHELL for words in command_lines(block) if starts_a_simulator(words)]
    assert starts
    for words in starts:
        command_parser("simulator").parse_args(words[2:])


def test_what_make_is_asked_for_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, ROOT / "benchmarks/README.md"])
    named = set(re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    assert named - targets == set()


def test_pip_installs_the_checkout_only() -> None:
    installs = [words for _, block in SHELL for words in command_lines(block) if words[0] == "pip"]
    assert all(re.fullmatch(r"pip install \.(\[[a-z-]+\])?", " ".join(words)) for words in installs)


def test_the_scripts_that_the_benchmarks_page_names_exist() -> None:
    text = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    assert [name for name in re.findall(r"python (benchmarks/\w+\.py)", text) if not (ROOT / name).is_file()] == []


def test_json_blocks_are_json() -> None:
    parsed = [json.loads(block) for page in PAGES for block in blocks(page, "json")]
    assert parsed[0]["mcpServers"]["mailgun"]["command"] == "mailgun-mcp"
