"""What clients read of a server before they connect."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mailgun_mcp import __version__
from mailgun_mcp.server.discovery import CARD_PATH, CATALOG_PATH, NAME, catalog, server_card
from mailgun_mcp.settings import Settings
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import team_server, token_of

pytestmark = pytest.mark.anyio

URL = "https://mail-admin.example.com"
CARD: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "name", "version", "description"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"},
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "minLength": 3, "maxLength": 200},
        "version": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "websiteUrl": {"type": "string", "format": "uri"},
        "remotes": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "url"],
                "additionalProperties": False,
                "properties": {
                    "type": {"enum": ["streamable-http", "sse"]},
                    "url": {"type": "string", "pattern": "^https?://[^\\s]+$"},
                    "headers": {"type": "array", "items": {"type": "object", "required": ["name"]}},
                    "supportedProtocolVersions": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
    "additionalProperties": False,
}
"""What SEP-2127 asks of a card, as far as this one uses it."""


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize("oauth", [True, False])
def test_the_card_is_one_of_sep_2127(transport: str, *, oauth: bool) -> None:
    card = server_card(URL, transport=transport, oauth=oauth)
    jsonschema.validate(card, CARD)
    assert [remote["url"] for remote in card["remotes"]] == [f"{URL}/mcp", f"{URL}/sse"][transport == "sse" :]
    assert all(("headers" in remote) is not oauth for remote in card["remotes"])
    assert card["version"] == __version__


def test_the_name_is_that_of_the_registry() -> None:
    registered = json.loads((Path(__file__).parents[2] / "server.json").read_text(encoding="utf-8"))
    assert registered["name"] == NAME


def test_the_catalog_leads_to_the_card() -> None:
    assert catalog(URL) == {
        "specVersion": "1.0",
        "entries": [
            {
                "identifier": "urn:air:mail-admin.example.com:mcp:mailgun",
                "type": "application/mcp-server-card+json",
                "url": f"{URL}/mcp/server-card",
            }
        ],
    }


async def test_both_are_public_and_for_pages_of_every_origin() -> None:
    services = recorded_services(Recorder())
    token_of(services, "ann", "read")
    async with team_server(services, Settings(public_url=URL)) as client:
        for path, kind in (
            (CARD_PATH, "application/mcp-server-card+json"),
            (CATALOG_PATH, "application/ai-catalog+json"),
        ):
            answer = await client.get(path, headers={"Origin": "https://somebody.example"})
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["cache-control"] == "public, max-age=3600"
            again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert (await client.post(CARD_PATH)).status_code == 405
        assert (await client.get("/mcp", headers={"Origin": "https://somebody.example"})).status_code == 403


async def test_without_a_public_url_there_are_none() -> None:
    services = recorded_services(Recorder())
    token = token_of(services, "ann", "read")
    async with team_server(services) as client:
        for path in (CARD_PATH, CATALOG_PATH):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, headers=token)).status_code == 404
