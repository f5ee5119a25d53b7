"""Skills over MCP, checked against what the extension's text demands of a server."""

import json
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, Literal

import mcp_types as types
import pytest
import yaml
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER
from tests.support.operations import catalogue
from tests.support.results import AnyResult

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
ERAS: tuple[Literal["legacy", "auto"], ...] = ("legacy", "auto")


@pytest.fixture(params=ERAS)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with connected(services_at(NOWHERE), mode=request.param) as opened:
        yield opened


def connected(
    services: Services, principal: Principal = LOCAL_USER, mode: Literal["legacy", "auto"] = "auto"
) -> Client:
    return Client(create_server(services, principal), mode=mode, cache=None)


async def asked(client: Client, method: str, **params: Any) -> dict[str, Any]:
    request: Any = types.Request[dict[str, Any], str](method=method, params=params)
    return (await client.session.send_request(request, AnyResult)).model_dump(by_alias=True)


async def test_the_extension_is_announced_beside_resources() -> None:
    async with connected(services_at(NOWHERE)) as client:
        capabilities = client.server_capabilities
        assert capabilities is not None
        assert (capabilities.extensions or {})["io.modelcontextprotocol/skills"] == {"directoryRead": True}
        assert capabilities.resources is not None


async def test_an_entry_is_a_complete_manifest_of_the_bytes_that_are_read(client: Client) -> None:
    result = await asked(client, "skills/list")
    assert result["ttlMs"] > 0
    assert result["cacheScope"] == "public"
    assert len(result["skills"]) == 8
    for skill in result["skills"]:
        assert set(skill) == {"uri", "frontmatter", "resources"}
        name = skill["frontmatter"]["name"]
        assert skill["uri"] == f"skill://{name}/SKILL.md"
        uris = [file["uri"] for file in skill["resources"]]
        assert skill["uri"] in uris
        assert len(uris) == len(set(uris)) <= 512
        assert all(uri.startswith(f"skill://{name}/") for uri in uris)
        for file in skill["resources"]:
            (content,) = (await client.read_resource(file["uri"])).contents
            assert isinstance(content, types.TextResourceContents)
            raw = content.text.encode()
            assert (file["size"], file["digest"]) == (len(raw), f"sha256:{sha256(raw).hexdigest()}")
            assert content.mime_type == "text/markdown"
            if file["uri"] == skill["uri"]:
                head = re.match(r"---\n(.*?)\n---\n", content.text, re.DOTALL)
                assert head is not None
                assert yaml.safe_load(head[1]) == skill["frontmatter"]


async def test_results_are_complete_in_the_era_that_knows_the_extension() -> None:
    async with connected(services_at(NOWHERE)) as client:
        uri = "skill://mailgun-dns"
        for method, params in (
            ("skills/list", {}),
            ("skills/get", {"uri": f"{uri}/SKILL.md"}),
            ("resources/directory/read", {"uri": uri}),
        ):
            assert (await asked(client, method, **params))["resultType"] == "complete", method


async def test_one_skill_is_got_as_it_is_listed(client: Client) -> None:
    listed = (await asked(client, "skills/list"))["skills"]
    for skill in listed:
        assert (await asked(client, "skills/get", uri=skill["uri"]))["skill"] == skill


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("skills/get", "skill://mailgun-unknown/SKILL.md"),
        ("skills/get", "skill://mailgun-dns"),
        ("skills/get", "skill://mailgun-dns/references/set_up_domain.md"),
        ("skills/get", "mailgun-dns/SKILL.md"),
        ("resources/directory/read", "skill://mailgun-dns/SKILL.md"),
        ("resources/directory/read", "skill://mailgun-dns/"),
        ("resources/directory/read", "skill://mailgun-dns/other"),
        ("resources/directory/read", "skill://"),
        ("resources/directory/read", "mailgun-mcp://tools"),
        ("resources/read", "skill://mailgun-dns/references/../SKILL.md"),
        ("resources/read", "skill://mailgun-dns"),
        ("resources/read", "skill://mailgun-dns/references/write_template.md"),
    ],
)
async def test_what_is_not_served_is_invalid_params(client: Client, method: str, uri: str) -> None:
    with pytest.raises(MCPError) as refusal:
        await asked(client, method, uri=uri)
    assert refusal.value.error.code == types.INVALID_PARAMS


async def test_directories_list_their_direct_children(client: Client) -> None:
    root = (await asked(client, "resources/directory/read", uri="skill://mailgun-dns"))["resources"]
    assert root == [
        {"uri": "skill://mailgun-dns/SKILL.md", "name": "SKILL.md", "mimeType": "text/markdown"},
        {"uri": "skill://mailgun-dns/references", "name": "references", "mimeType": "inode/directory"},
    ]
    below = (await asked(client, "resources/directory/read", uri=root[1]["uri"]))["resources"]
    assert [child["name"] for child in below] == ["set_up_domain.md", "migrate_provider.md"]


@pytest.mark.parametrize("method", ["skills/list", "resources/directory/read"])
async def test_there_is_one_page(client: Client, method: str) -> None:
    with pytest.raises(MCPError, match="one page"):
        await asked(client, method, uri="skill://mailgun-dns", cursor="2")


async def test_each_skill_is_an_ordinary_resource_too(client: Client) -> None:
    resources = {str(resource.uri): resource for resource in (await client.list_resources()).resources}
    for skill in (await asked(client, "skills/list"))["skills"]:
        resource = resources[skill["uri"]]
        assert (resource.name, resource.description, resource.mime_type) == (
            skill["frontmatter"]["name"],
            skill["frontmatter"]["description"],
            "text/markdown",
        )


async def test_skills_are_narrowed_to_what_is_offered_and_to_the_scopes_of_the_principal() -> None:
    few = services_at(NOWHERE, catalogue=catalogue().select(toolsets=["templates"]))
    async with connected(few) as client:
        names = [skill["frontmatter"]["name"] for skill in (await asked(client, "skills/list"))["skills"]]
        assert names == ["mailgun-templates"]
        with pytest.raises(MCPError):
            await client.read_resource("skill://mailgun-dns/SKILL.md")
    reader = Principal("kim", access=Access(scopes=frozenset({"mailgun:read"})))
    async with connected(services_at(NOWHERE), reader) as client:
        text = json.dumps(await asked(client, "skills/list"))
        assert "onboard_subaccount" not in text
        (content,) = (await client.read_resource("skill://mailgun-incidents/references/rotate_keys.md")).contents
        assert isinstance(content, types.TextResourceContents)
        assert "`delete_api_key`" not in content.text
