"""Paths of operations that moved."""

import httpx
import pytest

from mailgun_mcp.simulator.http.legacy_paths import LEGACY_PATHS
from tests.simulator.conftest import DOMAIN, PLAIN
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio


def test_every_older_path_leads_to_an_operation_that_takes_what_it_holds() -> None:
    for _, path, name in LEGACY_PATHS:
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        known = {
            argument.wire for argument in catalogue().find(name).arguments if argument.location in ("path", "query")
        }
        assert named <= known, path


async def test_a_domain_is_found_under_either_version(mailgun: httpx.AsyncClient) -> None:
    old, new = [(await mailgun.get(f"/{version}/domains/{DOMAIN}")).json() for version in ("v3", "v4")]
    assert old == new


async def test_a_tag_in_the_path_is_the_one_in_the_query(mailgun: httpx.AsyncClient) -> None:
    mail = {"from": "a@x.example", "to": "b@x.example", "text": "Hi", "o:tag": "news"}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    old = await mailgun.get(f"/v3/{PLAIN}/tags/news")
    assert old.json() == (await mailgun.get(f"/v3/{PLAIN}/tag", params={"tag": "news"})).json()
    assert (await mailgun.delete(f"/v3/{PLAIN}/tags/news")).json() == {"message": "Tag deleted"}
    assert (await mailgun.get(f"/v3/{PLAIN}/tags/news")).status_code == 404
