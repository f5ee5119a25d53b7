"""Validation of all members of a mailing list."""

import httpx
import pytest

pytestmark = pytest.mark.anyio

PEOPLE = "people@plain.example.com"
PATH = f"/v3/lists/{PEOPLE}/validate"


@pytest.fixture
async def people(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post("/v3/lists", data={"address": PEOPLE})
    for address in ("kim@gmail.com", "bounce@gmail.com", "ann@mailinator.com"):
        await mailgun.post(f"/v3/lists/{PEOPLE}/members", data={"address": address})


@pytest.mark.usefixtures("people")
async def test_a_job_counts_the_verdict_on_each_member(mailgun: httpx.AsyncClient) -> None:
    started = (await mailgun.post(PATH)).json()
    assert started == {"id": PEOPLE, "message": "The validation job was submitted."}
    job = (await mailgun.get(PATH)).json()
    assert (job["status"], job["quantity"], job["records_processed"]) == ("uploaded", 3, 3)
    assert job["summary"]["result"] == {
        "catch_all": 0,
        "deliverable": 1,
        "do_not_send": 1,
        "undeliverable": 1,
        "unknown": 0,
    }
    assert job["summary"]["risk"] == {"high": 2, "low": 1, "medium": 0, "unknown": 0}
    verdicts = (await mailgun.get(job["download_url"]["json"])).json()
    assert [verdict["address"] for verdict in verdicts] == ["kim@gmail.com", "bounce@gmail.com", "ann@mailinator.com"]
    lines = (await mailgun.get(job["download_url"]["csv"])).text.splitlines()
    assert (len(lines), lines[0].startswith("address,")) == (4, True)
    single = (await mailgun.get("/v4/address/validate", params={"address": "bounce@gmail.com"})).json()
    assert verdicts[1] == single


@pytest.mark.usefixtures("people")
async def test_a_job_is_counted_as_use_and_can_be_deleted(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(PATH)
    asked = {"metrics": ["email_validation_list_count", "email_validation_count"], "include_aggregates": True}
    used = (await mailgun.post("/v1/analytics/usage/metrics", json=asked)).json()
    assert used["aggregates"]["metrics"] == {"email_validation_list_count": 3, "email_validation_count": 3}
    assert (await mailgun.delete(PATH)).status_code == 200
    assert [(await mailgun.request(method, PATH)).status_code for method in ("GET", "DELETE")] == [404, 404]


async def test_an_unknown_list_is_refused(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(PATH)).json() == {"message": f"Mailing list {PEOPLE} not found"}
