"""Exports of what a URL of the API answers."""

import httpx
import pytest

from mailgun_mcp.simulator import Account

pytestmark = pytest.mark.anyio


async def test_an_export_leads_to_what_its_url_answers(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post("/v3/exports", data={"url": "/v4/domains?limit=1"})).json() == {"message": "success"}
    (export,) = (await mailgun.get("/v3/exports")).json()["items"]
    assert export == {"id": export["id"], "status": "complete", "url": "/v4/domains?limit=1"}
    assert (await mailgun.get(f"/v3/exports/{export['id']}")).json() == export
    assert (await mailgun.get("/v3/exports", params={"url": "/v3/lists"})).json() == {"items": []}
    link = await mailgun.get(f"/v3/exports/{export['id']}/download_url")
    assert link.status_code == 302
    content = await mailgun.get(link.headers["location"])
    assert content.json() == (await mailgun.get("/v4/domains", params={"limit": 1})).json()


@pytest.mark.parametrize("url", ["", "https://other.example/", "/v3/exports"])
async def test_only_paths_of_the_api_are_exported(url: str, mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post("/v3/exports", data={"url": url})).status_code == 400


async def test_an_export_gives_no_more_rights_than_the_key(mailgun: httpx.AsyncClient, account: Account) -> None:
    await mailgun.post("/v3/exports", data={"url": "/v1/keys"})
    (export,) = account.administration.optimize.exports
    made = await mailgun.post("/v1/keys", data={"role": "developer", "kind": "user"})
    reader = ("api", made.json()["key"]["secret"])
    whole = await mailgun.get(f"/v3/exports/{export}/content")
    refused = await mailgun.get(f"/v3/exports/{export}/content", auth=reader)
    direct = await mailgun.get("/v1/keys", auth=reader)
    assert (whole.status_code, refused.status_code) == (200, direct.status_code)
    assert (await mailgun.get("/v3/exports/none")).json() == {"message": "export not found"}
