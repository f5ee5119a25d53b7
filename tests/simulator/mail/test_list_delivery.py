"""Mail to a mailing list: each subscriber gets a copy with the list's headers and a link to leave."""

import pytest

from mailgun_mcp.simulator.mail.list_delivery import list_id, member_copies, split_lists, unsubscribe_url
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.messages import StoredMessage

LIST = "team@d.example"


@pytest.fixture
def account() -> Account:
    return Account(ManualClock())


@pytest.fixture
def team(account: Account) -> MailingList:
    members = {
        "ann@x.example": Member("ann@x.example", "Ann", {"plan": "pro"}),
        "bob@x.example": Member("bob@x.example", "Bob"),
        "cy@x.example": Member("cy@x.example", "Cy", subscribed=False),
    }
    account.lists[LIST] = MailingList(LIST, 0.0, "Team", members=members)
    return account.lists[LIST]


def message(**headers: str) -> StoredMessage:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return StoredMessage("key", "id", "d.example", 0.0, "boss@d.example", [LIST], named, text="%recipient.plan%")


def test_lists_are_separated_from_people_and_count_once(account: Account, team: MailingList) -> None:
    people, lists = split_lists(account, [("", "TEAM@d.example"), ("Di", "di@x.example"), ("", LIST)])
    assert (people, lists) == ([("Di", "di@x.example")], [team])


def test_only_subscribers_get_a_copy_with_their_own_variables(account: Account, team: MailingList) -> None:
    copies = member_copies(account, message(To=LIST), team)
    assert [copy.recipients for copy in copies] == [["ann@x.example"], ["bob@x.example"]]
    assert copies[0].text == "pro"
    assert len({copy.key for copy in copies}) == 2


def test_a_copy_names_the_list_and_how_to_leave_it(account: Account, team: MailingList) -> None:
    copy = member_copies(account, message(To=LIST, From="Boss <boss@d.example>"), team)[0]
    assert (copy.headers["Sender"], copy.headers["List-Id"]) == (LIST, "<team.d.example>")
    assert copy.headers["List-Unsubscribe"] == f"<{unsubscribe_url(team, 'ann@x.example')}>"
    assert copy.mailing_list is not None
    assert copy.mailing_list["address"] == LIST


@pytest.mark.parametrize(
    ("preference", "headers", "reply_to"),
    [
        ("list", {"From": "boss@d.example"}, LIST),
        ("sender", {"from": "Boss <boss@d.example>"}, "Boss <boss@d.example>"),
        ("sender", {}, "boss@d.example"),
        ("list", {"reply-to": "desk@d.example"}, "desk@d.example"),
    ],
)
def test_replies_go_to_the_list_or_the_sender_whatever_the_case_of_headers(
    account: Account, team: MailingList, preference: str, headers: dict[str, str], reply_to: str
) -> None:
    team.reply_preference = preference  # type: ignore[assignment]  # a literal of the table above
    copy = member_copies(account, message(**headers), team)[0]
    assert {name: value for name, value in copy.headers.items() if name.lower() == "reply-to"} == {"Reply-To": reply_to}


def test_the_lists_own_id_comes_before_one_made_from_its_address(team: MailingList) -> None:
    assert list_id(team) == "team.d.example"
    team.list_id = "team.example"
    assert list_id(team) == "team.example"
