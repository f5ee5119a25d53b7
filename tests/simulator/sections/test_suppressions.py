"""The four suppression lists behave alike; what differs is in the table."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.suppressions import Unsubscribe
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
ANN = "ann+news@x.example"
CREATED = "Thu, 13 Oct 2011 18:02:00 UTC"


@dataclass(frozen=True)
class Kind:
    path: str
    batch: bool
    key: str
    missing: str
    added: str
    removed: str
    cleared: str


KINDS = [
    Kind(
        "bounces",
        True,
        "address",
        "Address not found in bounces table",
        "{} addresses have been added to the bounces table",
        "Bounced address has been removed",
        "Bounced addresses for this domain have been removed",
    ),
    Kind(
        "complaints",
        True,
        "address",
        "No spam complaints found for this address",
        "{} complaint addresses have been added to the complaints table",
        "Spam complaint has been removed",
        "Complaint addresses for this domain have been removed",
    ),
    Kind(
        "unsubscribes",
        True,
        "address",
        "Address not found in unsubscribers table",
        "{} addresses have been added to the unsubscribes table",
        "Unsubscribe event has been removed",
        "Unsubscribe addresses for this domain have been removed",
    ),
    Kind(
        "whitelists",
        False,
        "value",
        "Address/Domain not found in allowlist table",
        "",
        "Allowlist address/domain has been removed",
        "Allowlist addresses/domains for this domain have been removed",
    ),
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.path)
batch_kind = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.batch], ids=lambda kind: kind.path)


def url(kind: Kind, *rest: str) -> str:
    return "/".join([f"/v3/{PLAIN}/{kind.path}", *(quote(part, safe="") for part in rest)])


async def add(mailgun: httpx.AsyncClient, kind: Kind, *addresses: str) -> None:
    for address in addresses:
        assert (await mailgun.post(url(kind), data={"address": address})).status_code == 200


async def listed(mailgun: httpx.AsyncClient, kind: Kind, **query: Any) -> list[str]:
    answer = (await mailgun.get(url(kind), params=query)).json()
    return [item[kind.key] for item in answer["items"]]


@every_kind
async def test_an_added_address_is_found_whatever_its_case(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, ANN.upper())
    answer = await mailgun.get(url(kind, ANN))
    assert (answer.status_code, answer.json()[kind.key]) == (200, ANN)


@every_kind
async def test_an_address_that_is_not_there_is_not_found(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    for method in ("GET", "DELETE"):
        answer = await mailgun.request(method, url(kind, ANN))
        assert (answer.status_code, answer.json()) == (404, {"message": kind.missing})


@batch_kind
async def test_a_batch_is_added_and_counted(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    answer = await mailgun.post(url(kind), json=[{"address": "b@x.example"}, {"address": "a@x.example"}])
    assert answer.json() == {"message": kind.added.format(2)}
    assert await listed(mailgun, kind) == ["a@x.example", "b@x.example"]


@batch_kind
async def test_one_address_is_told_in_the_singular(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    answer = await mailgun.post(url(kind), json=[{"address": ANN}])
    assert answer.json() == {"message": f"Address has been added to the {kind.path} table"}


@batch_kind
async def test_adding_again_updates(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, ANN)
    await mailgun.post(url(kind), json=[{"address": ANN, "created_at": "Thu, 13 Oct 2011 18:02:00 +0000"}])
    assert (await mailgun.get(url(kind, ANN))).json()["created_at"] == CREATED
    assert await listed(mailgun, kind) == [ANN]


@batch_kind
@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"address": "no address"}, "'address' parameter is not a valid address. please check documentation"),
        ({"address": ANN, "created_at": "soon"}, "soon is not an RFC-2822 compliant date"),
        ({}, "address parameter is missing"),
    ],
)
async def test_a_wrong_entry_adds_nothing(
    mailgun: httpx.AsyncClient, kind: Kind, entry: dict[str, str], text: str
) -> None:
    answer = await mailgun.post(url(kind), json=[{"address": "fine@x.example"}, entry])
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert await listed(mailgun, kind) == []


@every_kind
async def test_a_removed_address_is_gone(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, ANN)
    answer = await mailgun.delete(url(kind, ANN))
    assert answer.json() == {"message": kind.removed, kind.key: ANN}
    assert await listed(mailgun, kind) == []


@every_kind
async def test_a_cleared_list_is_empty(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, "a@x.example", "b@x.example")
    assert (await mailgun.delete(url(kind))).json() == {"message": kind.cleared}
    assert await listed(mailgun, kind) == []


@every_kind
async def test_a_list_is_told_by_prefix(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, "ann@x.example", "bob@x.example", "anton@x.example")
    assert await listed(mailgun, kind, term="AN") == ["ann@x.example", "anton@x.example"]


@every_kind
async def test_following_next_shows_every_address_once(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    addresses = [f"{letter}+tag@x.example" for letter in "abcdefg"]
    await add(mailgun, kind, *addresses)
    page = (await mailgun.get(url(kind), params={"limit": 3, "term": ""})).json()
    seen = [item[kind.key] for item in page["items"]]
    while page["paging"]["next"] != page["paging"]["last"]:
        page = (await mailgun.get(page["paging"]["next"])).json()
        seen += [item[kind.key] for item in page["items"]]
    assert seen == addresses


@every_kind
async def test_a_page_url_keeps_prefix_and_limit(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    await add(mailgun, kind, "aa@x.example", "ab@x.example", "b@x.example")
    page = (await mailgun.get(url(kind), params={"limit": 1, "term": "a"})).json()
    expected = {"page": "next", "address": "aa@x.example", "term": "a", "limit": "1"}
    assert dict(httpx.URL(page["paging"]["next"]).params) == expected


@every_kind
async def test_a_csv_file_is_imported_but_for_rows_that_name_nothing(mailgun: httpx.AsyncClient, kind: Kind) -> None:
    text = "\ufeffaddress, created_at\nann@x.example,\n\nnot an address,\nbob@x.example,\n"
    answer = await mailgun.post(url(kind, "import"), files={"file": ("list.csv", text.encode(), "text/csv")})
    assert answer.status_code == 202
    assert answer.json() == {"message": "file uploaded successfully for processing. standby..."}
    assert await listed(mailgun, kind) == ["ann@x.example", "bob@x.example"]


@every_kind
@pytest.mark.parametrize("text", ["", "name\nann"])
async def test_a_csv_file_without_its_header_is_refused(mailgun: httpx.AsyncClient, kind: Kind, text: str) -> None:
    answer = await mailgun.post(url(kind, "import"), files={"file": ("list.csv", text.encode(), "text/csv")})
    assert (answer.status_code, answer.json()) == (400, {"message": "while reading csv header"})


async def test_a_bounce_keeps_code_and_error(mailgun: httpx.AsyncClient) -> None:
    bounce = {"address": ANN, "code": "554", "error": "blocked", "created_at": "Thu, 13 Oct 2011 18:02:00 +0000"}
    await mailgun.post(f"/v3/{PLAIN}/bounces", json=[bounce])
    answer = await mailgun.get(f"/v3/{PLAIN}/bounces/{quote(ANN)}")
    assert answer.json() == {**bounce, "created_at": CREATED}


async def test_an_unsubscribe_without_tags_is_for_all_mail(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/{PLAIN}/unsubscribes", json=[{"address": ANN}])
    assert (await mailgun.get(f"/v3/{PLAIN}/unsubscribes/{quote(ANN)}")).json()["tags"] == ["*"]


async def test_an_imported_unsubscribe_has_its_tags(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    text = b'address,tags\nann@x.example,"news, offers"\n'
    await mailgun.post(f"/v3/{PLAIN}/unsubscribes/import", files={"file": ("a.csv", text)})
    assert plain.unsubscribes["ann@x.example"].tags == ["news", "offers"]


async def test_an_unsubscribe_goes_tag_by_tag(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.unsubscribes["a@x.example"] = Unsubscribe("a@x.example", 0.0, "1", ["news", "offers"])
    path = f"/v3/{PLAIN}/unsubscribes/a%40x.example"
    assert (await mailgun.delete(path, params={"tag": "other"})).json() == {
        "message": "Unsubscribe event for this tag does not exist"
    }
    await mailgun.delete(path, params={"tag": "news"})
    assert plain.unsubscribes["a@x.example"].tags == ["offers"]
    await mailgun.delete(path, params={"tag": "offers"})
    assert plain.unsubscribes == {}


@pytest.mark.parametrize(("field", "value"), [("address", "a@x.example"), ("domain", "x.example")])
async def test_the_allowlist_takes_an_address_or_a_domain(mailgun: httpx.AsyncClient, field: str, value: str) -> None:
    answer = await mailgun.post(f"/v3/{PLAIN}/whitelists", data={field: value})
    text = "Address/Domain has been added to the allowlists table"
    assert answer.json() == {"message": text, "type": field, "value": value}
    shown = (await mailgun.get(f"/v3/{PLAIN}/whitelists/{quote(value)}")).json()
    assert (shown["type"], shown["value"]) == (field, value)


async def test_domains_are_imported_to_the_allowlist(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    text = b"address,domain\n,x.example\na@y.example,\n,nodot\n,\n"
    await mailgun.post(f"/v3/{PLAIN}/whitelists/import", files={"file": ("a.csv", text)})
    assert {entry.value: entry.type for entry in plain.allowlist.values()} == {
        "x.example": "domain",
        "a@y.example": "address",
    }
