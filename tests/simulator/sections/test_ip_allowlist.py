"""The IP allowlist as it is read and written; whom it shuts out is in test_admission."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio
PATH = "/v2/ip_whitelist"
OFFICE = "198.51.100.0/24"


def as_dict(answer: httpx.Response) -> dict[str, str]:
    items: list[dict[str, Any]] = answer.json()["addresses"]
    return {item["ip_address"]: item["description"] for item in items}


async def test_each_change_answers_the_whole_list(mailgun: httpx.AsyncClient) -> None:
    added = await mailgun.post(PATH, data={"address": "203.0.113.9", "description": "VPN"})
    assert as_dict(added) == {OFFICE: "Office", "203.0.113.9": "VPN"}
    changed = await mailgun.put(PATH, data={"address": OFFICE, "description": "Head office"})
    assert as_dict(changed) == {OFFICE: "Head office", "203.0.113.9": "VPN"}
    removed = await mailgun.delete(PATH, params={"address": OFFICE})
    assert as_dict(removed) == {"203.0.113.9": "VPN"} == as_dict(await mailgun.get(PATH))


@pytest.mark.parametrize(
    ("method", "address", "text"),
    [
        ("POST", "office", "Invalid IP Address or CIDR"),
        ("POST", "198.51.100.0/99", "Invalid IP Address or CIDR"),
        ("PUT", "203.0.113.9", "IP not found"),
        ("DELETE", "203.0.113.9", "IP not found"),
        ("DELETE", "", "IP address can not be blank"),
    ],
)
async def test_what_does_not_fit_is_refused(mailgun: httpx.AsyncClient, method: str, address: str, text: str) -> None:
    given = {"params" if method == "DELETE" else "data": {"address": address}}
    answer = await mailgun.request(method, PATH, **given)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert as_dict(await mailgun.get(PATH)) == {OFFICE: "Office"}
