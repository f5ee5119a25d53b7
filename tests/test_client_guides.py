"""The guides in docs/clients: each says what `install` writes, and what it says starts a server that lists its tools."""

import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import render, shown_file
from mailgun_mcp.catalogue.builtin_tools import offered
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli.clients import CLIENTS, KEY
from mailgun_mcp.cli.main import run
from tests.support.processes import environment, raw_stdio

GUIDES = Path(__file__).resolve().parents[1] / "docs" / "clients"
TESTED = json.loads((GUIDES / "tested.json").read_text(encoding="utf-8"))
READERS: dict[str, Callable[[str], Any]] = {"toml": tomllib.loads, "json": json.loads, "yaml": yaml.safe_load}
COMMANDS = {name: str(Path(sys.executable).with_name(name)) for name in ("mailgun-mcp",)}


def guide(client: str) -> str:
    return (GUIDES / f"{client.removesuffix('-1')}.md").read_text(encoding="utf-8")


def section(client: str) -> str:
    """Return the generated part of a client's guide."""
    found = re.search(rf"<!-- generated: client-{client} -->\n(.*?)<!-- end -->", guide(client), re.DOTALL)
    assert found, client
    return found[1]


def written_in(client: str) -> Any:
    """Return the configuration that the guide shows."""
    form = CLIENTS[client].form
    (block,) = re.findall(rf"^```{form}\n(.*?)^```$", section(client), re.DOTALL | re.MULTILINE)
    return READERS[form](block)


def entry_in(document: Any, client: str) -> dict[str, Any]:
    for key in (*CLIENTS[client].servers, "mailgun"):
        document = document[key]
    entry: dict[str, Any] = document
    return entry


def words_of(entry: dict[str, Any]) -> list[str]:
    """Return the command line that a client runs for an entry."""
    command = entry.get("cmd") or entry["command"]
    return command if isinstance(command, list) else [command, *entry.get("args", [])]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def test_every_client_has_a_guide_and_every_guide_a_client() -> None:
    names = {path.stem for path in GUIDES.glob("*.md")} - {"README"}
    assert names == {name.removesuffix("-1") for name in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS)
def test_install_writes_what_the_guide_shows_where_it_says(client: str, home: Path) -> None:
    (line,) = re.findall(r"^```sh\nmailgun-mcp (.+)\n```$", section(client), re.MULTILINE)
    assert run(line.split()) == 0
    scope = next(iter(CLIENTS[client].files))
    shown = shown_file(CLIENTS[client].files[scope][0])
    assert f"`{shown}`" in section(client)
    path = Path(shown).expanduser() if shown.startswith("~") else home / shown
    text = path.read_text(encoding="utf-8").replace(COMMANDS["mailgun-mcp"], "mailgun-mcp")
    assert READERS[CLIENTS[client].form](text) == written_in(client)


@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
async def test_what_the_guide_shows_starts_a_server_that_lists_its_tools(client: str, home: Path) -> None:
    program, *arguments = words_of(entry_in(written_in(client), client))
    assert program == "mailgun-mcp"
    async with raw_stdio(arguments[1:], environment(home, {KEY: "key-of-the-tests"})) as server:
        listed = (await server.request("tools/list"))["result"]["tools"]
    limit = CLIENTS[client].tool_limit
    catalogue = Catalogue.load()
    everything = len(catalogue) + len(offered(catalogue))
    assert 0 < len(listed) <= limit if limit else len(listed) == everything


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.md")), ids=lambda path: path.stem)
def test_the_generated_parts_match_the_table_of_clients_and_the_data(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert render(text) == text


def test_the_tested_libraries_list_everything_and_can_always_be_answered() -> None:
    assert len(TESTED["rows"]) >= 12
    for row in TESTED["rows"]:
        assert (row["lists"], row["calls"], row["resumes"]) == (TESTED["tools"], True, True), row["client"]
        assert row["asked"] in ("by a form", "by approval"), row["client"]


def test_the_tested_libraries_are_those_that_the_script_runs() -> None:
    from benchmarks.clients.__main__ import LIBRARIES

    assert [row["client"] for row in TESTED["rows"]] == [library.title for library in LIBRARIES]
