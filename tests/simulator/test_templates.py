"""Templates of the demo account can be read."""

import httpx
import pytest

from mailgun_mcp.simulator.seed import SHOP
from mailgun_mcp.simulator.state import Domain, Template, TemplateVersion
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio


async def test_the_list_leaves_out_the_content(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get(f"/v3/{SHOP}/templates")).json()
    assert [item["name"] for item in answer["items"]] == ["order-confirmation"]
    assert "version" not in answer["items"][0]
    assert answer["paging"]["next"] == answer["paging"]["last"]


async def test_following_next_shows_every_template_once(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.templates = {name: Template(name, name, 0.0) for name in "abcde"}
    page = (await mailgun.get(f"/v3/{PLAIN}/templates", params={"limit": 2})).json()
    seen = [item["name"] for item in page["items"]]
    while page["paging"]["next"] != page["paging"]["last"]:
        page = (await mailgun.get(page["paging"]["next"])).json()
        seen += [item["name"] for item in page["items"]]
    assert seen == list("abcde")


async def test_a_template_comes_with_its_active_version(mailgun: httpx.AsyncClient) -> None:
    template = (await mailgun.get(f"/v3/{SHOP}/templates/Order-Confirmation")).json()["template"]
    assert (template["name"], template["version"]["tag"], template["version"]["active"]) == (
        "order-confirmation",
        "initial",
        True,
    )


async def test_a_template_without_versions_has_none(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.templates["a"] = Template("1", "a", 0.0)
    assert "version" not in (await mailgun.get(f"/v3/{PLAIN}/templates/a")).json()["template"]


async def test_versions_are_listed_without_and_read_with_content(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    versions = {tag: TemplateVersion(tag, tag, f"Hello {tag}", 0.0) for tag in ("v1", "v2")}
    plain.templates["a"] = Template("1", "a", 0.0, versions=versions)
    listed = (await mailgun.get(f"/v3/{PLAIN}/templates/a/versions")).json()
    assert [(version["tag"], version["template"]) for version in listed["template"]["versions"]] == [
        ("v1", ""),
        ("v2", ""),
    ]
    read = (await mailgun.get(f"/v3/{PLAIN}/templates/a/versions/v2")).json()
    assert read["template"]["version"]["template"] == "Hello v2"


@pytest.mark.parametrize(
    ("path", "text"), [("nope", "template not found"), ("order-confirmation/versions/v9", "version not found")]
)
async def test_what_is_not_there_is_not_found(mailgun: httpx.AsyncClient, path: str, text: str) -> None:
    answer = await mailgun.get(f"/v3/{SHOP}/templates/{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": text})
