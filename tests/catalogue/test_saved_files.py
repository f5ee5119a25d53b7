"""Tools that return files can write them, on servers that were started with `--files`."""

from pathlib import Path

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.catalogue.saved_files import SAVE_AS, SAVED
from mailgun_mcp.settings import Settings
from tests.support.apps import opened
from tests.support.operations import catalogue, find


def test_every_tool_that_returns_a_file_can_write_it() -> None:
    assert {operation.name for operation in catalogue() if operation.file} <= SAVED.keys()
    for name, fields in SAVED.items():
        assert set(fields) <= find(name).output_schema["properties"].keys()


def test_the_argument_is_listed_with_files_and_the_tool_is_then_no_read(tmp_path: Path) -> None:
    services = opened(create_services(Settings(simulator=True, files=(str(tmp_path),))))
    tools = {tool["name"]: tool for tool in services.listed_tools}
    without = {name: find(name).tool for name in SAVED}
    for name in SAVED:
        assert SAVE_AS in tools[name]["inputSchema"]["properties"]
        assert SAVE_AS not in without[name]["inputSchema"]["properties"]
        assert [each[name]["annotations"]["readOnlyHint"] for each in (tools, without)] == [False, True]
        assert services.catalogue.find(name).risk == "read"
