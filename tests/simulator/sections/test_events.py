"""Events of a domain: filters, the direction of the search, pages."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.clock import HOUR, ManualClock, mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
URL = f"/v3/{PLAIN}/events"


@pytest.fixture
def hours(account: Account, plain: Domain, clock: ManualClock) -> list[float]:
    """Ten events, one each hour up to an hour ago; their moments."""
    moments = [clock.now() - hour * HOUR for hour in range(10, 0, -1)]
    for index, at in enumerate(moments):
        headers = {"From": "Shop <shop@x.example>", "To": "Ann <ann@x.example>", "Subject": f"Order {index}"}
        message = StoredMessage(
            str(index), f"{index}@x.example", PLAIN, at, "shop@x.example", ["ann@x.example"], headers
        )
        message.tags = ["even" if index % 2 == 0 else "odd"]
        message.attachments = [Attachment("Invoice.pdf", "application/pdf", b"x" * index * 1000)] if index else []
        name, details = ("failed", {"severity": "permanent"}) if index == 9 else ("accepted", {})
        record_event(account, plain, name, message, f"ann{index % 3}@x.example", at, **details)
    return moments


async def found(mailgun: httpx.AsyncClient, **query: Any) -> list[float]:
    answer = await mailgun.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [item["timestamp"] for item in answer.json()["items"]]


async def test_the_newest_come_first(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    assert await found(mailgun) == hours[::-1]
    assert await found(mailgun, ascending="no") == hours[::-1]


async def test_ascending_starts_with_the_oldest(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    assert await found(mailgun, ascending="yes", limit=3) == hours[:3]


async def test_the_range_decides_the_direction(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    assert await found(mailgun, begin=hours[2], end=hours[5]) == hours[2:6]
    assert await found(mailgun, begin=hours[5], end=hours[2]) == hours[5:1:-1]
    assert await found(mailgun, end=hours[8]) == [hours[9], hours[8]]
    assert await found(mailgun, begin=hours[2], ascending="yes") == hours[2:]
    assert await found(mailgun, begin=hours[2], ascending="no") == hours[2::-1]


async def test_a_range_is_given_as_dates_as_well(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    begin, end = mail_date(hours[2], "+0000"), mail_date(hours[3], "+0000")
    assert await found(mailgun, begin=begin, end=end) == hours[2:4]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"begin": 1}, "'ascending' parameter is missing: it is needed with 'begin' and without 'end'"),
        ({"begin": 1, "end": 2, "ascending": "no"}, "'ascending' parameter contradicts 'begin' and 'end'"),
        ({"limit": 301}, "The 'limit' parameter can't be larger than 300"),
        ({"begin": "soon"}, "soon is not an RFC-2822 compliant date"),
        ({"size": "big"}, "'size' parameter is not valid: big"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    mailgun: httpx.AsyncClient, hours: list[float], query: dict[str, Any], text: str
) -> None:
    answer = await mailgun.get(URL, params=query)
    assert (answer.status_code, answer.json()) == (400, {"message": text})


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ({"event": "failed"}, [9]),
        ({"event": "failed OR accepted", "limit": 2}, [0, 1]),
        ({"event": "NOT accepted"}, [9]),
        ({"event": "delivered"}, []),
        ({"severity": "permanent"}, [9]),
        ({"severity": "temporary"}, []),
        ({"recipient": "ANN0@x.example"}, [0, 3, 6, 9]),
        ({"recipient": "ann0@x.example OR ann1@x.example", "tags": "even"}, [0, 4, 6]),
        ({"recipients": "ann", "limit": 1}, [0]),
        ({"tags": "odd AND NOT even"}, [1, 3, 5, 7, 9]),
        ({"message-id": "4@x.example"}, [4]),
        ({"subject": "order 4"}, [4]),
        ({"subject": '"order 4" OR (order 5)'}, [4, 5]),
        ({"from": "shop@", "to": "ann", "event": "failed"}, [9]),
        ({"attachment": "invoice"}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"size": ">8000"}, [8, 9]),
        ({"size": "<1000"}, [0]),
        ({"size": "<=407 OR >=9000"}, [0, 9]),
        ({"size": "407"}, [0]),
        ({"size": ">1000 <4000"}, [1, 2, 3]),
        ({"size": "NOT >1000"}, [0]),
        ({"severity": "permanent", "event": "NOT (accepted OR delivered)"}, [9]),
        ({"message-id": "4@x.example OR 5@x.example"}, [4, 5]),
        ({"list": "news@x.example"}, []),
    ],
)
async def test_filters(
    mailgun: httpx.AsyncClient, hours: list[float], query: dict[str, Any], indexes: list[int]
) -> None:
    assert await found(mailgun, ascending="yes", **query) == [hours[index] for index in indexes]


async def test_events_of_a_mailing_list_are_found_by_its_address(
    mailgun: httpx.AsyncClient, hours: list[float], plain: Domain
) -> None:
    plain.events[4].record["mailing-list"] = {"address": "news@x.example"}
    assert await found(mailgun, list="news@x.example") == [hours[4]]


@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11])
@pytest.mark.parametrize("ascending", ["yes", "no"])
async def test_following_next_shows_every_event_once_and_ends_empty(
    mailgun: httpx.AsyncClient, hours: list[float], limit: int, ascending: str
) -> None:
    page = (await mailgun.get(URL, params={"limit": limit, "ascending": ascending})).json()
    seen = []
    while page["items"]:
        seen += [item["timestamp"] for item in page["items"]]
        page = (await mailgun.get(page["paging"]["next"])).json()
    assert seen == (hours if ascending == "yes" else hours[::-1])


async def test_pages_keep_the_filter_and_do_not_shift_when_mail_goes_out(
    mailgun: httpx.AsyncClient, hours: list[float]
) -> None:
    page = (await mailgun.get(URL, params={"limit": 2, "tags": "even"})).json()
    await mailgun.post(
        f"/v3/{PLAIN}/messages",
        data={"from": "a@x.example", "to": "b@x.example", "text": "Hi", "o:tag": "even"},
    )
    page = (await mailgun.get(page["paging"]["next"])).json()
    assert [item["timestamp"] for item in page["items"]] == [hours[4], hours[2]]


async def test_previous_first_and_last_lead_where_they_say(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    async def follow(page: dict[str, Any], *links: str) -> list[float]:
        for link in links:
            page = (await mailgun.get(page["paging"][link])).json()
        return [item["timestamp"] for item in page["items"]]

    page = (await mailgun.get(URL, params={"limit": 4, "ascending": "yes"})).json()
    assert await follow(page, "next", "previous") == hours[:4]
    assert await follow(page, "next", "first") == hours[:4]
    assert await follow(page, "last") == hours[6:]
    assert await follow(page, "previous") == []


async def test_polling_the_last_page_finds_new_events(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    page = (await mailgun.get(URL, params={"ascending": "yes"})).json()
    page = (await mailgun.get(page["paging"]["next"])).json()
    assert page["items"] == []
    await mailgun.post(f"/v3/{PLAIN}/messages", data={"from": "a@x.example", "to": "b@x.example", "text": "Hi"})
    page = (await mailgun.get(page["paging"]["next"])).json()
    assert [item["event"] for item in page["items"]] == ["accepted", "delivered"]


async def test_paging_urls_name_the_token_in_their_path(mailgun: httpx.AsyncClient, hours: list[float]) -> None:
    page = (await mailgun.get(URL)).json()
    assert set(page["paging"]) == {"first", "last", "next", "previous"}
    assert page["paging"]["next"].startswith(f"https://api.mailgun.net{URL}/")
    assert "?" not in page["paging"]["next"]


async def test_a_made_up_token_is_refused(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get(f"{URL}/made-up")).status_code == 400


async def test_one_recipient_or_message_is_found_among_very_many(
    mailgun: httpx.AsyncClient, account: Account, plain: Domain, clock: ManualClock
) -> None:
    for number in range(3000):
        message = StoredMessage(
            str(number), f"{number}@x.example", PLAIN, clock.now(), "a@x.example", ["b@x.example"], {}
        )
        record_event(account, plain, "accepted", message, f"Person{number}@x.example", clock.now() - 5000 + number)
    for query in (
        {"recipient": "person7@x.example OR PERSON8@x.example"},
        {"message-id": "7@x.example OR 8@x.example"},
    ):
        assert await found(mailgun, ascending="yes", **query) == [clock.now() - 4993, clock.now() - 4992]
    values = [{"value": "person7@x.example"}, {"value": "person2999@x.example"}]
    condition = {"attribute": "recipient", "comparator": "=", "values": values}
    answer = await mailgun.post("/v1/analytics/logs", json={"filter": {"AND": [condition]}})
    assert [item["recipient"] for item in answer.json()["items"]] == ["Person2999@x.example", "Person7@x.example"]
    assert len(await found(mailgun, recipient="NOT person7@x.example", limit=300)) == 300


@pytest.mark.parametrize("name", ["events.acme.example", "acme.events", "events"])
async def test_pages_lead_on_for_a_domain_that_is_called_events(
    mailgun: httpx.AsyncClient, account: Account, name: str
) -> None:
    account.domains[name] = Domain(account.hex_id(), name, account.clock.now(), "active")
    url = f"https://api.mailgun.net/v3/{name}/events?limit=1"
    for _ in range(2):
        answer = await mailgun.get(url)
        assert answer.status_code == 200, url
        url = answer.json()["paging"]["next"]
        assert url.startswith(f"https://api.mailgun.net/v3/{name}/events/")
