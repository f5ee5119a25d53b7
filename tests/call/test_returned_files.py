"""Attachments and raw MIME of stored messages: shown, written to a file under `--files`, or left as a resource."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import BlobResourceContents, ResourceLink, TextResourceContents

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from tests.support.apps import opened
from tests.support.calls import LOCAL_USER, run

pytestmark = pytest.mark.anyio

DOMAIN = "mail.example.com"
PICTURE = b"\xff\xd8\0" + bytes(range(256)) * 100
FILES = ({"text": "name,price", "filename": "a.csv"}, {"base64": "/9gA", "filename": "b.jpg"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    (path / "picture.jpg").write_bytes(PICTURE)
    return path


def services_of(folder: Path, **options: Any) -> Services:
    settings = Settings(simulator=True, state=str(folder.parent / "state"), files=(str(folder),), **options)
    return opened(create_services(settings))


@pytest.fixture
def services(folder: Path) -> Services:
    return services_of(folder)


async def stored(services: Services) -> dict[str, Any]:
    """Send a mail with three files, and return the arguments that name it."""
    mail = {"from": f"a@{DOMAIN}", "to": ["ann@example.org"], "subject": "Hi", "text": "Hello"}
    files = [*FILES, {"path": "picture.jpg"}]
    sent = await run(services, "send_message", {"domain": DOMAIN, **mail, "attachments": files})
    assert sent.structured is not None, sent.text
    events = await run(services, "list_events", {"domain": DOMAIN, "message_id": sent.structured["id"], "full": True})
    assert events.structured is not None
    return {"domain": DOMAIN, "storage_key": events.structured["items"][0]["storage"]["key"]}


async def test_the_sizes_are_told_before_anything_is_read(services: Services) -> None:
    message = await run(services, "get_stored_message", await stored(services))
    assert message.structured is not None
    assert [item["size"] for item in message.structured["attachments"]] == [10, 3, len(PICTURE)]


@pytest.mark.parametrize(("index", "content"), list(enumerate([b"name,price", b"\xff\xd8\0", PICTURE])))
async def test_an_attachment_is_written_to_a_new_file_and_the_answer_says_where(
    services: Services, folder: Path, index: int, content: bytes
) -> None:
    message = await stored(services)
    outcome = await run(services, "get_stored_attachment", {**message, "index": index, "save_as": "new.bin"})
    assert outcome.structured is not None, outcome.text
    saved = {"path": str(folder / "new.bin"), "size": len(content), "sha256": sha256(content).hexdigest()}
    assert (folder / "new.bin").read_bytes() == content
    assert outcome.structured["saved"] == saved
    assert not outcome.structured.keys() & {"text", "base64"}
    assert outcome.structured["size"] == len(content)


async def test_raw_mime_is_written_to_a_file_too(services: Services, folder: Path) -> None:
    message = {**await stored(services), "save_as": "mail.eml"}
    assert "accept: is required with save_as" in (await run(services, "get_stored_message", message)).text
    outcome = await run(services, "get_stored_message", {**message, "accept": "message/rfc2822"})
    assert outcome.structured is not None, outcome.text
    written = (folder / "mail.eml").read_text()
    assert ("Subject: Hi" in written, "body-mime" in outcome.structured) == (True, False)
    assert outcome.structured["saved"]["size"] == len(written.encode())


async def test_no_file_is_replaced_and_a_wrong_name_is_said_before_the_read(services: Services, folder: Path) -> None:
    message = {**await stored(services), "index": 0}
    for name, why in (("picture.jpg", "already exists"), ("../x", "without .."), (".x", "begins with a dot")):
        outcome = await run(services, "get_stored_attachment", {**message, "save_as": name})
        assert (outcome.kind, why in outcome.text, "save_as:" in outcome.text) == ("invalid", True, True), outcome.text
    assert (folder / "picture.jpg").read_bytes() == PICTURE


async def test_a_file_that_appears_meanwhile_is_not_replaced_either(
    services: Services, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {**await stored(services), "index": 0, "save_as": "new.csv"}
    send = type(services.client).send

    async def slowly(*arguments: Any, **options: Any) -> Any:
        response = await send(*arguments, **options)
        (folder / "new.csv").write_bytes(b"of somebody else")
        return response

    monkeypatch.setattr(type(services.client), "send", slowly)
    outcome = await run(services, "get_stored_attachment", message)
    assert (outcome.kind, "already exists" in outcome.text) == ("failed", True)
    assert (folder / "new.csv").read_bytes() == b"of somebody else"


async def test_writing_a_file_is_a_write_for_policies_scopes_and_the_log(services: Services, folder: Path) -> None:
    message = {**await stored(services), "index": 0, "save_as": "new.csv"}
    reader = Caller(Principal("ann", access=Access(parse_scopes(["read"]))))
    refused = await run(services, "get_stored_attachment", message, reader)
    assert (refused.kind, "mailgun:write" in refused.text) == ("refused", True)
    writer = Caller(Principal("ann", access=Access(parse_scopes(["read", "write"]))))
    outcome = await run(services, "get_stored_attachment", message, writer)
    assert outcome.structured is not None, outcome.text
    # Who does not run the server is not told where its directories are.
    assert outcome.structured["saved"]["path"] == "new.csv"
    services.recorder.close()
    assert services.audit_log.call(outcome.call).fields["risk"] == "write"


async def test_a_yes_is_for_one_name(folder: Path) -> None:
    services = services_of(folder, policy="strict")
    other = services_of(folder, policy="unguarded")
    call = {"domain": DOMAIN, "storage_key": "K" * 40, "index": 0}
    digests = set()
    for name in ("a.txt", "b.txt"):
        outcome = await run(services, "get_stored_attachment", {**call, "save_as": name})
        assert outcome.approval is not None, outcome.text
        assert "Nothing is lost: a file is added" in outcome.approval["form"]
        digests.add(outcome.approval["id"])
    assert len(digests) == 2
    assert (await run(other, "get_stored_attachment", call)).kind == "failed"


@pytest.mark.parametrize("options", [{"read_only": True}, {"policy": "read-only"}])
async def test_a_server_that_only_reads_writes_no_file(folder: Path, options: dict[str, Any]) -> None:
    services = services_of(folder, **options)
    outcome = await run(
        services, "get_stored_attachment", {"domain": DOMAIN, "storage_key": "K", "index": 0, "save_as": "x"}
    )
    assert (outcome.kind, "a person can start it with --files DIR" in outcome.text) == ("invalid", True)


async def test_in_search_mode_the_tool_for_reads_writes_no_file(folder: Path) -> None:
    services = services_of(folder, mode="search")
    message = {**await stored(services), "index": 0}
    call = {"name": "get_stored_attachment", "arguments": {**message, "save_as": "x.csv"}}
    assert "does more than read" in (await run(services, "read_tool", call)).text
    assert (await run(services, "call_tool", call)).kind == "done"
    assert (folder / "x.csv").exists()


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_large_file_is_a_link_that_the_client_can_read(services: Services, mode: Any) -> None:
    message = {**await stored(services), "index": 2}
    async with Client(create_server(services, LOCAL_USER), mode=mode, cache=None) as client:
        result = await client.call_tool("get_stored_attachment", message)
        (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
        assert (link.mime_type, link.size) == ("image/jpeg", len(PICTURE))
        assert result.structured_content is not None
        assert ("base64" in result.structured_content, result.structured_content["size"]) == (False, len(PICTURE))
        assert str(link.uri) in result.structured_content["left_out"]["how"]
        (contents,) = (await client.read_resource(str(link.uri))).contents
        assert isinstance(contents, BlobResourceContents)
        import base64

        assert (base64.b64decode(contents.blob), contents.mime_type) == (PICTURE, "image/jpeg")
        # What is text is fenced here as well, where somebody else wrote it.
        (text,) = (await client.read_resource(str(link.uri)[:-1] + "0")).contents
        assert isinstance(text, TextResourceContents)
        assert ("name,price" in text.text, text.mime_type) == (True, "application/json")


HOSTS = {
    "storage-europe-west1.api.mailgun.net": "storage-europe-west1.api.mailgun.net",
    "https://Storage.EU.mailgun.net/v3/domains/mail.example.com/messages/AbC": "storage.eu.mailgun.net",
}


@pytest.mark.parametrize("given", HOSTS)
async def test_the_link_of_a_file_on_another_storage_host_reads_it_from_there(
    services: Services, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {**await stored(services), "index": 2, "storage_host": given}
    send, hosts = type(services.client).send, []

    async def recorded(client: Any, request: Any, **options: Any) -> Any:
        hosts.append(request.host)
        return await send(client, request, **options)

    monkeypatch.setattr(type(services.client), "send", recorded)
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        result = await client.call_tool("get_stored_attachment", message)
        (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
        (contents,) = (await client.read_resource(str(link.uri))).contents
        assert isinstance(contents, BlobResourceContents)
        await client.read_resource(str(link.uri).replace("/attachments/2", ""))
        (source,) = (await client.read_resource(str(link.uri).replace("/attachments/2", "/source"))).contents
    assert hosts == [HOSTS[given]] * 4
    assert isinstance(source, TextResourceContents)
    assert "body-mime" in source.text


@pytest.mark.parametrize("query", ["storage_host=evil.example", "storage_host=a&storage_host=b", "host=x", "save_as=x"])
async def test_a_query_of_a_resource_names_a_storage_host_of_mailgun_or_nothing_is_sent(
    services: Services, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await stored(services)
    monkeypatch.setattr(type(services.client), "send", None)
    uri = f"mailgun-mcp://domains/{DOMAIN}/messages/{message['storage_key']}/attachments/2?{query}"
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        with pytest.raises(MCPError, match=r"Resource not found|is not a Mailgun host"):
            await client.read_resource(uri)
