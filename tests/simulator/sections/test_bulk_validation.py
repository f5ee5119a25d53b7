"""Validation of the addresses in a file, as Mailgun's SDKs ask for it."""

import gzip

import httpx
import pytest

pytestmark = pytest.mark.anyio

JOB, PREVIEW = "/v4/address/validate/bulk/people", "/v4/address/validate/preview/people"
CSV = b"name,email\nKim,kim@gmail.com\nNobody,bounce@gmail.com\n\nAnn,ann@mailinator.com\n"


def with_file(content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": ("people.csv", content)}


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        gzip.compress(CSV),
        b"kim@gmail.com\nbounce@gmail.com\nann@mailinator.com",
        b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n"),
    ],
    ids=["csv", "gzip", "without a header", "from a spreadsheet"],
)
async def test_a_job_counts_the_verdict_on_each_address(mailgun: httpx.AsyncClient, content: bytes) -> None:
    started = await mailgun.post(JOB, files=with_file(content))
    assert (started.status_code, started.json()["id"]) == (202, "people")
    job = (await mailgun.get(JOB)).json()
    assert (job["id"], job["status"], job["quantity"]) == ("people", "uploaded", 3)
    assert job["summary"]["risk"] == {"high": 2, "low": 1, "medium": 0, "unknown": 0}
    verdicts = (await mailgun.get(job["download_url"]["json"])).json()
    assert [verdict["address"] for verdict in verdicts] == ["kim@gmail.com", "bounce@gmail.com", "ann@mailinator.com"]
    assert len((await mailgun.get(job["download_url"]["csv"])).text.splitlines()) == 4


async def test_jobs_are_listed_in_pages_and_deleted(mailgun: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c/d"):
        await mailgun.post(f"/v4/address/validate/bulk/{name.replace('/', '%2F')}", files=with_file(CSV))
    first = (await mailgun.get("/v4/address/validate/bulk", params={"limit": 2})).json()
    assert ([job["id"] for job in first["jobs"]], first["total"]) == (["a", "b"], 3)
    second = (await mailgun.get(first["paging"]["next"])).json()
    assert [job["id"] for job in second["jobs"]] == ["c/d"]
    assert (await mailgun.get(second["jobs"][0]["download_url"]["json"])).status_code == 200
    assert (await mailgun.delete("/v4/address/validate/bulk/a")).status_code == 200
    assert (await mailgun.get("/v4/address/validate/bulk/a")).status_code == 404


async def test_a_preview_has_a_summary_and_becomes_a_job(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(PREVIEW, files=with_file(CSV))).status_code == 202
    preview = (await mailgun.get(PREVIEW)).json()["preview"]
    assert (preview["status"], preview["quantity"]) == ("preview_complete", 3)
    assert (await mailgun.get("/v4/address/validate/preview")).json()["previews"] == [preview]
    assert (await mailgun.put(PREVIEW)).status_code == 202
    assert (await mailgun.get(PREVIEW)).status_code == 404
    assert (await mailgun.get(JOB)).json()["quantity"] == 3
    await mailgun.post(PREVIEW, files=with_file(CSV))
    assert (await mailgun.delete(PREVIEW)).status_code == 204


@pytest.mark.parametrize("content", [b"", b"email\n", b"\n\n", b"a" * 200_000])
async def test_a_file_without_addresses_is_refused(mailgun: httpx.AsyncClient, content: bytes) -> None:
    assert (await mailgun.post(JOB, files=with_file(content))).status_code == 400


async def test_a_single_address_can_be_posted(mailgun: httpx.AsyncClient) -> None:
    single = {"address": "bounce@gmail.com"}
    posted = await mailgun.post("/v4/address/validate", data=single)
    assert posted.json() == (await mailgun.get("/v4/address/validate", params=single)).json()
    assert (await mailgun.post("/v4/address/validate")).status_code == 400
    assert (await mailgun.get("/v4/address/validate/bulk", params={"limit": "x"})).status_code == 400
