"""Paths of operations that moved, and parameters that only Mailgun's SDKs send."""

import httpx
import pytest

from mailgun_mcp.simulator.http.aliases import LEGACY_PATHS, PARAMETER_ALIASES, apply_aliases
from tests.simulator.conftest import DOMAIN, PLAIN
from tests.support.operations import catalogue


def test_every_older_path_leads_to_an_operation_that_takes_what_it_holds() -> None:
    for _, path, name in LEGACY_PATHS:
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        known = {
            argument.wire for argument in catalogue().find(name).arguments if argument.location in ("path", "query")
        }
        assert named <= known, path


@pytest.mark.anyio
async def test_a_domain_is_found_under_either_version(mailgun: httpx.AsyncClient) -> None:
    old, new = [(await mailgun.get(f"/{version}/domains/{DOMAIN}")).json() for version in ("v3", "v4")]
    assert old == new


@pytest.mark.anyio
async def test_a_tag_in_the_path_is_the_one_in_the_query(mailgun: httpx.AsyncClient) -> None:
    mail = {"from": "a@x.example", "to": "b@x.example", "text": "Hi", "o:tag": "news"}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    old = await mailgun.get(f"/v3/{PLAIN}/tags/news")
    assert old.json() == (await mailgun.get(f"/v3/{PLAIN}/tag", params={"tag": "news"})).json()
    assert (await mailgun.delete(f"/v3/{PLAIN}/tags/news")).json() == {"message": "Tag deleted"}
    assert (await mailgun.get(f"/v3/{PLAIN}/tags/news")).status_code == 404


@pytest.mark.parametrize(
    ("plural", "kind"), [("countries", "country"), ("providers", "provider"), ("devices", "device")]
)
@pytest.mark.anyio
async def test_a_tags_aggregates_are_found_under_the_paths_of_the_sdks(
    mailgun: httpx.AsyncClient, plural: str, kind: str
) -> None:
    mail = {"from": "a@x.example", "to": "b@x.example", "text": "Hi", "o:tag": "news"}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    old = (await mailgun.get(f"/v3/{PLAIN}/tags/news/stats/aggregates/{plural}")).json()
    new = await mailgun.get(f"/v3/{PLAIN}/tag/stats/aggregates", params={"tag": "news", "type": kind})
    assert old == new.json()
    assert old["tag"] == "news"
    assert kind in old


def test_another_name_is_none_of_the_catalogue_and_leads_to_one_that_is() -> None:
    for operation, names in PARAMETER_ALIASES.items():
        known = {argument.wire for argument in catalogue().find(operation).arguments if argument.location != "path"}
        assert not known & names.keys()
        assert {name for name in names.values() if name} <= known


def test_what_changes_nothing_is_left_out_and_the_rest_is_kept() -> None:
    assert apply_aliases("create_ip_pool", {"ips": ["192.0.2.1"], "name": ["n"]}) == {
        "ip": ["192.0.2.1"],
        "name": ["n"],
    }
    assert apply_aliases("list_events", {"pretty": ["yes"], "limit": ["1"]}) == {"limit": ["1"]}
    assert apply_aliases("list_bounces", {"pretty": ["yes"]}) == {"pretty": ["yes"]}


@pytest.mark.anyio
async def test_fields_that_php_numbers_are_one_field(mailgun: httpx.AsyncClient) -> None:
    form = {"from": f"a@{PLAIN}", "to": "ann@x.example", "text": "x", "o:tag[0]": "one", "o:tag[1]": "two"}
    files = [("attachment[0]", ("a.txt", b"a")), ("attachment[1]", ("b.txt", b"b")), ("inline[0]", ("c.png", b"c"))]
    assert (await mailgun.post(f"/v3/{PLAIN}/messages", data=form, files=files)).status_code == 200
    event = (await mailgun.get(f"/v3/{PLAIN}/events", params={"event": "accepted"})).json()["items"][0]
    assert event["tags"] == ["one", "two"]
    assert [item["filename"] for item in event["message"]["attachments"]] == ["c.png", "a.txt", "b.txt"]
