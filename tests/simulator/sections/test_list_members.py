"""Members of mailing lists: one by one, in bulk, page by page."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.lists import MailingList, Member
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

NEWS = f"news@{PLAIN}"
URL = f"/v3/lists/{NEWS}/members"
ANN = {"address": "ann@x.example", "name": "Ann", "vars": {"age": 26}, "subscribed": True}


@pytest.fixture(autouse=True)
def news(account: Account) -> MailingList:
    account.lists = {
        NEWS: MailingList(NEWS, 0.0, members={"ann@x.example": Member("ann@x.example", "Ann", {"age": 26})})
    }
    return account.lists[NEWS]


async def imported(mailgun: httpx.AsyncClient, text: str, **fields: str) -> httpx.Response:
    return await mailgun.post(f"{URL}.csv", data=fields, files={"members": ("members.csv", text.encode(), "text/csv")})


async def bulk(mailgun: httpx.AsyncClient, members: list[dict[str, object]], **fields: str) -> httpx.Response:
    return await mailgun.post(f"{URL}.json", data={"members": json.dumps(members), **fields})


async def test_a_member_is_added_and_read(mailgun: httpx.AsyncClient) -> None:
    bob = {"address": "bob+news@x.example", "name": "Bob", "vars": {"age": 30}, "subscribed": False}
    answer = await mailgun.post(
        URL, data={**bob, "address": "Bob+News@x.example", "vars": '{"age": 30}', "subscribed": "no"}
    )
    assert answer.json() == {"message": "Mailing list member has been created", "member": bob}
    assert (await mailgun.get(f"{URL}/bob%2Bnews@x.example")).json() == {"member": bob}
    assert (await mailgun.get(f"/v3/lists/{NEWS}")).json()["list"]["members_count"] == 2


async def test_an_existing_member_is_changed_only_by_an_upsert(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(URL, data={"address": "ann@x.example", "name": "Other"})
    assert (answer.status_code, answer.json()) == (400, {"message": "Address already exists 'ann@x.example'"})
    answer = await mailgun.post(URL, data={"address": "ann@x.example", "name": "Anna", "upsert": "yes"})
    assert answer.json()["member"] == {**ANN, "name": "Anna"}


async def test_an_update_changes_only_what_it_names(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    answer = await mailgun.put(f"{URL}/ann@x.example", data={"subscribed": "no"})
    assert answer.json() == {"message": "Mailing list member has been updated", "member": {**ANN, "subscribed": False}}
    answer = await mailgun.put(f"{URL}/ann@x.example", data={"address": "anna@x.example"})
    assert answer.json()["member"] == {**ANN, "address": "anna@x.example", "subscribed": False}
    assert list(news.members) == ["anna@x.example"]


async def test_a_member_cannot_take_another_s_address(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    news.members["bob@x.example"] = Member("bob@x.example")
    assert (await mailgun.put(f"{URL}/bob@x.example", data={"address": "ann@x.example"})).status_code == 400
    assert sorted(news.members) == ["ann@x.example", "bob@x.example"]


async def test_a_deleted_member_is_gone(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.delete(f"{URL}/ann@x.example")
    assert answer.json() == {"message": "Mailing list member has been deleted", "member": {"address": "ann@x.example"}}
    for method in ("GET", "PUT", "DELETE"):
        answer = await mailgun.request(method, f"{URL}/ann@x.example")
        text = f"Member ann@x.example of mailing list {NEWS} not found"
        assert (answer.status_code, answer.json()) == (404, {"message": text})


@pytest.mark.parametrize("path", ["members", "members/pages", "members/ann@x.example"])
async def test_members_of_no_list_are_not_found(mailgun: httpx.AsyncClient, path: str) -> None:
    answer = await mailgun.get(f"/v3/lists/nope@{PLAIN}/{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": f"Mailing list nope@{PLAIN} not found"})


async def test_a_bulk_call_adds_who_is_new(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    answer = await bulk(mailgun, [{"address": "ann@x.example", "name": "Other"}, {"address": "Bob@x.example"}])
    assert (answer.json()["message"], answer.json()["list"]["members_count"]) == ("Mailing list has been updated", 2)
    assert "task-id" not in answer.json()
    assert (news.members["ann@x.example"].name, news.members["bob@x.example"].subscribed) == ("Ann", True)


async def test_bare_addresses_are_members_too(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    answer = await mailgun.post(f"{URL}.json", data={"members": '["bob@x.example", {"address": "carl@x.example"}]'})
    assert answer.status_code == 200
    assert sorted(news.members) == ["ann@x.example", "bob@x.example", "carl@x.example"]


async def test_a_bulk_upsert_changes_who_is_there(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    await bulk(mailgun, [{"address": "ann@x.example", "name": "Other", "subscribed": False}], upsert="yes")
    assert news.members["ann@x.example"] == Member("ann@x.example", "Other", {"age": 26}, False)


async def test_a_bulk_call_with_a_wrong_address_adds_nobody(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    answer = await bulk(mailgun, [{"address": "bob@x.example"}, {"address": "nonsense"}])
    assert answer.status_code == 400
    assert list(news.members) == ["ann@x.example"]


async def test_more_than_a_hundred_are_added_in_the_background(
    mailgun: httpx.AsyncClient, news: MailingList, plain: Domain
) -> None:
    members: list[dict[str, object]] = [{"address": f"{number}@x.example"} for number in range(101)]
    answer = await bulk(mailgun, [*members, {"address": "nonsense"}])
    task = answer.json()["task-id"]
    assert answer.json()["message"] == "Mailing list upload started in background"
    assert len(news.members) == 102
    events = [event.record for event in plain.events]
    assert {event["task-id"] for event in events} == {task}
    counts = {name: sum(event["event"] == name for event in events) for name in {event["event"] for event in events}}
    assert counts == {"list_member_uploaded": 101, "list_member_upload_error": 1, "list_uploaded": 1}
    found = (await mailgun.get(f"/v3/{PLAIN}/events", params={"event": "list_uploaded"})).json()["items"]
    assert [(event["upserted-count"], event["failed-count"], event["format"]) for event in found] == [(101, 1, "json")]


async def test_more_than_a_thousand_are_too_many(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    assert (await bulk(mailgun, [{"address": f"{number}@x.example"} for number in range(1001)])).status_code == 400
    rows = "\n".join(f"{number}@x.example" for number in range(1001))
    answer = await imported(mailgun, f"address\n{rows}")
    assert (answer.status_code, answer.json()) == (400, {"message": "Batch size should be less than 1000"})
    assert len(news.members) == 1


async def test_a_csv_file_names_its_columns(mailgun: httpx.AsyncClient, news: MailingList) -> None:
    text = '\ufeffAddress,name,subscribed,vars,city\nBob@x.example,Bob,no,"{""age"": 30}",Graz\ncarl@x.example,,,,\nnonsense,,,,\n'
    answer = await imported(mailgun, text)
    assert (answer.status_code, answer.json()["list"]["members_count"]) == (200, 3)
    assert news.members["bob@x.example"] == Member("bob@x.example", "Bob", {"age": 30, "city": "Graz"}, False)
    assert news.members["carl@x.example"] == Member("carl@x.example", "", {"city": ""}, True)


async def test_a_csv_file_leaves_existing_members_alone_without_upsert(
    mailgun: httpx.AsyncClient, news: MailingList
) -> None:
    await imported(mailgun, "address,name\nann@x.example,Other\nbob@x.example,Bob", subscribed="no")
    assert (news.members["ann@x.example"].name, news.members["bob@x.example"].subscribed) == ("Ann", False)
    await imported(mailgun, "address,name\nann@x.example,Other", subscribed="no", upsert="yes")
    assert news.members["ann@x.example"] == Member("ann@x.example", "Other", {"age": 26}, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nAnn", "CSV file has no 'address' column"),
        ("", "CSV file has no 'address' column"),
        ("address\n" + "x" * (5 * 1024 * 1024), "CSV file is too big, max allowed size is 5 MB"),
    ],
    ids=["column", "empty", "size"],
)
async def test_a_csv_file_that_cannot_be_taken_is_refused(mailgun: httpx.AsyncClient, text: str, message: str) -> None:
    answer = await imported(mailgun, text)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


async def test_a_bulk_call_for_no_list_is_not_found(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(
        f"/v3/lists/nope@{PLAIN}/members.json", data={"members": '[{"address": "a@x.example"}]'}
    )
    assert (answer.status_code, answer.json()) == (404, {"message": f"Mailing list 'nope@{PLAIN}' not found"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(size=st.integers(0, 12), limit=st.integers(1, 5), subscribed=st.sampled_from([None, "yes", "no"]))
async def test_both_ways_of_paging_show_every_member_once(
    mailgun: httpx.AsyncClient, news: MailingList, size: int, limit: int, subscribed: str | None
) -> None:
    addresses = [f"{number:02}@x.example" for number in range(size)]
    news.members = {address: Member(address, subscribed=index % 3 > 0) for index, address in enumerate(addresses)}
    wanted = [a for a, m in news.members.items() if subscribed is None or m.subscribed is (subscribed == "yes")]
    filters = {"subscribed": subscribed} if subscribed else {}
    skipped: list[str] = []
    for skip in range(0, size + 1, limit):
        answer = (await mailgun.get(URL, params={"skip": skip, "limit": limit, **filters})).json()
        assert answer["total_count"] == len(wanted)
        skipped += [item["address"] for item in answer["items"]]
    assert skipped == wanted
    page = (await mailgun.get(f"{URL}/pages", params={"limit": limit, **filters})).json()
    paged = [item["address"] for item in page["items"]]
    while page["paging"]["next"] != page["paging"]["last"]:
        page = (await mailgun.get(page["paging"]["next"])).json()
        paged += [item["address"] for item in page["items"]]
    assert paged == wanted


async def test_a_name_beside_an_address_becomes_the_members(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post("/v3/lists", data={"address": f"named@{PLAIN}"})
    members = '[{"address": "Kim <kim@x.example>"}, {"address": "Lee <lee@x.example>", "name": "Lea"}]'
    await mailgun.post(f"/v3/lists/named@{PLAIN}/members.json", data={"members": members})
    found = (await mailgun.get(f"/v3/lists/named@{PLAIN}/members")).json()["items"]
    assert [(item["address"], item["name"]) for item in found] == [("kim@x.example", "Kim"), ("lee@x.example", "Lea")]
