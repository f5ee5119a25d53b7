"""Mailing lists are kept by their address, and pass on what is sent to them."""

import json

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.lists import MailingList, Member
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

NEWS = f"news@{PLAIN}"


@pytest.fixture(autouse=True)
def no_lists(account: Account) -> None:
    account.lists.clear()


async def created(mailgun: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await mailgun.post("/v3/lists", data={"address": NEWS, **fields})


async def test_a_list_is_created_with_the_defaults(mailgun: httpx.AsyncClient) -> None:
    answer = await created(mailgun, address=f"News <News@{PLAIN}>", description="monthly")
    shown = answer.json()["list"]
    assert (answer.status_code, answer.json()["message"]) == (200, "Mailing list has been created")
    assert {name: value for name, value in shown.items() if name != "created_at"} == {
        "address": NEWS,
        "name": "News",
        "description": "monthly",
        "access_level": "readonly",
        "reply_preference": "list",
        "members_count": 0,
    }
    assert (await mailgun.get(f"/v3/lists/{NEWS.upper()}")).json() == {"list": shown}


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"address": "nonsense"}, 400, "'address' parameter is not a valid address. please check documentation"),
        ({"address": "a@elsewhere.example"}, 404, "Domain not found: elsewhere.example"),
        (
            {"access_level": "secret"},
            400,
            "Invalid access level 'secret'. It can be any of: 'readonly', 'members', 'everyone'.",
        ),
    ],
)
async def test_what_cannot_be_a_list_is_refused(
    mailgun: httpx.AsyncClient, account: Account, fields: dict[str, str], status: int, text: str
) -> None:
    answer = await created(mailgun, **fields)
    assert (answer.status_code, answer.json()) == (status, {"message": text})
    assert account.lists == {}


async def test_an_address_is_one_list(mailgun: httpx.AsyncClient) -> None:
    await created(mailgun)
    assert (await created(mailgun)).status_code == 400
    await created(mailgun, address=f"other@{PLAIN}")
    assert (await mailgun.put(f"/v3/lists/{NEWS}", data={"address": f"other@{PLAIN}"})).status_code == 400


async def test_an_update_changes_what_it_names_and_can_move_the_list(
    mailgun: httpx.AsyncClient, account: Account
) -> None:
    await created(mailgun, name="News", description="monthly")
    account.lists[NEWS].members["ann@x.example"] = Member("ann@x.example")
    fields = {"address": f"digest@{PLAIN}", "access_level": "everyone", "list-id": "digest.example"}
    answer = await mailgun.put(f"/v3/lists/{NEWS}", data=fields)
    shown = answer.json()["list"]
    assert answer.json()["message"] == "Mailing list has been updated"
    assert (shown["address"], shown["name"], shown["access_level"], shown["members_count"]) == (
        f"digest@{PLAIN}",
        "News",
        "everyone",
        1,
    )
    assert list(account.lists) == [f"digest@{PLAIN}"]


async def test_a_deleted_list_is_gone(mailgun: httpx.AsyncClient) -> None:
    await created(mailgun)
    answer = await mailgun.delete(f"/v3/lists/{NEWS}")
    assert answer.json() == {"message": "Mailing list has been removed", "address": NEWS}
    for method in ("GET", "PUT", "DELETE"):
        answer = await mailgun.request(method, f"/v3/lists/{NEWS}")
        assert (answer.status_code, answer.json()) == (404, {"message": f"Mailing list {NEWS} not found"})


async def test_lists_are_shown_by_skip_and_by_page(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.lists = {f"{name}@{PLAIN}": MailingList(f"{name}@{PLAIN}", 0.0) for name in "edcba"}
    answer = (await mailgun.get("/v3/lists", params={"skip": 3, "limit": 5})).json()
    assert (answer["total_count"], [item["address"][0] for item in answer["items"]]) == (5, ["d", "e"])
    answer = (await mailgun.get("/v3/lists", params={"address": f"C@{PLAIN}"})).json()
    assert [item["address"] for item in answer["items"]] == [f"c@{PLAIN}"]
    page = (await mailgun.get("/v3/lists/pages", params={"limit": 2})).json()
    seen = [item["address"][0] for item in page["items"]]
    while page["paging"]["next"] != page["paging"]["last"]:
        page = (await mailgun.get(page["paging"]["next"])).json()
        seen += [item["address"][0] for item in page["items"]]
    assert seen == list("abcde")
    assert page["items"] == []
    back = (await mailgun.get(page["paging"]["previous"])).json()
    assert [item["address"][0] for item in back["items"]] == ["d", "e"]
    back = (await mailgun.get(back["paging"]["previous"])).json()
    assert [item["address"][0] for item in back["items"]] == ["b", "c"]


@pytest.fixture
def readers(account: Account) -> MailingList:
    members = {
        "ann@x.example": Member("ann@x.example", "Ann", {"plan": "pro"}),
        "bounce@x.example": Member("bounce@x.example", "Bob", {"plan": "free"}),
        "gone@x.example": Member("gone@x.example", subscribed=False),
    }
    account.lists[NEWS] = MailingList(NEWS, 0.0, "News", members=members)
    return account.lists[NEWS]


async def send(mailgun: httpx.AsyncClient, **fields: str) -> httpx.Response:
    mail = {"from": f"Shop <shop@{PLAIN}>", "to": NEWS, "subject": "Hi %recipient.plan%", "text": "%recipient_name%"}
    return await mailgun.post(f"/v3/{PLAIN}/messages", data={**mail, **fields})


async def test_a_mail_to_a_list_goes_to_each_subscriber_with_their_variables(
    mailgun: httpx.AsyncClient, plain: Domain, readers: MailingList
) -> None:
    answer = await send(mailgun)
    copies = list(plain.messages.values())
    assert [(copy.recipients, copy.subject, copy.text) for copy in copies] == [
        (["ann@x.example"], "Hi pro", "Ann"),
        (["bounce@x.example"], "Hi free", "Bob"),
    ]
    assert {copy.id for copy in copies} == {answer.json()["id"].strip("<>")}
    assert {name: copies[0].headers[name] for name in ("To", "List-Id", "Reply-To", "Sender")} == {
        "To": NEWS,
        "List-Id": f"<news.{PLAIN}>",
        "Reply-To": NEWS,
        "Sender": NEWS,
    }


async def test_events_of_a_list_s_mail_name_it(mailgun: httpx.AsyncClient, readers: MailingList) -> None:
    await send(mailgun, to=f"someone@x.example, {NEWS}")
    events = (await mailgun.get(f"/v3/{PLAIN}/events", params={"list": NEWS, "ascending": "yes"})).json()["items"]
    assert sorted((event["event"], event["recipient"]) for event in events) == [
        ("accepted", "ann@x.example"),
        ("accepted", "bounce@x.example"),
        ("delivered", "ann@x.example"),
        ("failed", "bounce@x.example"),
    ]
    assert events[0]["mailing-list"]["list-id"] == f"news.{PLAIN}"


async def test_a_list_can_be_one_of_several_recipients_of_a_batch(
    mailgun: httpx.AsyncClient, plain: Domain, readers: MailingList
) -> None:
    variables = json.dumps({"carl@x.example": {"plan": "team"}})
    await send(mailgun, to=f"Carl <carl@x.example>, {NEWS}", **{"recipient-variables": variables})
    assert sorted((copy.recipients[0], copy.subject) for copy in plain.messages.values()) == [
        ("ann@x.example", "Hi pro"),
        ("bounce@x.example", "Hi free"),
        ("carl@x.example", "Hi team"),
    ]


async def test_replies_go_where_the_list_prefers(
    mailgun: httpx.AsyncClient, plain: Domain, readers: MailingList
) -> None:
    readers.reply_preference = "sender"
    await send(mailgun)
    await send(mailgun, **{"h:Reply-To": "help@x.example"})
    assert [copy.headers["Reply-To"] for copy in plain.messages.values()][::2] == [
        f"Shop <shop@{PLAIN}>",
        "help@x.example",
    ]


async def test_members_get_a_link_of_their_own_to_leave(
    mailgun: httpx.AsyncClient, plain: Domain, readers: MailingList
) -> None:
    await send(mailgun, text="Leave: %mailing_list_unsubscribe_url%")
    links = {copy.text for copy in plain.messages.values()}
    assert len(links) == 2
    assert all(
        f"<{copy.text.removeprefix('Leave: ')}>" == copy.headers["List-Unsubscribe"] for copy in plain.messages.values()
    )


async def test_mail_to_a_list_without_subscribers_is_accepted_and_goes_to_nobody(
    mailgun: httpx.AsyncClient, plain: Domain, readers: MailingList
) -> None:
    readers.members.clear()
    assert (await send(mailgun)).json()["message"] == "Queued. Thank you."
    (accepted,) = plain.events
    assert (accepted.record["event"], accepted.record["recipient"]) == ("accepted", readers.address)
    assert accepted.record["storage"]["key"] in plain.messages
