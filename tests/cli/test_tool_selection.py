"""The tools that fit a client."""

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli.clients import CLIENTS
from mailgun_mcp.cli.tool_selection import (
    POPULAR_TOOLSETS,
    excess_of_names,
    fitting_toolsets,
    is_over_limit,
    tool_count,
)

CATALOGUE = Catalogue.load()


def test_the_popular_toolsets_exist() -> None:
    assert set(POPULAR_TOOLSETS) <= set(CATALOGUE.toolsets)


def test_the_choice_leaves_half_of_the_limit_to_other_servers() -> None:
    for name in ("cursor", "windsurf", "vscode"):
        client = CLIENTS[name]
        assert client.tool_limit is not None
        chosen = fitting_toolsets(client, CATALOGUE)
        assert "messages" in chosen
        assert tool_count(CATALOGUE, chosen) <= client.tool_limit / 2 + tool_count(CATALOGUE, ())


def test_a_client_without_a_limit_is_never_over_it() -> None:
    assert not is_over_limit(CLIENTS["codex"], CATALOGUE)
    assert fitting_toolsets(CLIENTS["codex"], CATALOGUE) == []


def test_a_short_server_name_leaves_every_tool_name_whole() -> None:
    assert excess_of_names("mailgun", CATALOGUE) == 0
    assert excess_of_names("m" * 60, CATALOGUE) > 0
