"""Who receives a mailing list's mail, and who may post to it."""

import pytest

from mailgun_mcp.simulator.model.lists import AccessLevel, MailingList, Member


def list_of(level: AccessLevel) -> MailingList:
    members = {member.address: member for member in (Member("in@x.example"), Member("out@x.example", subscribed=False))}
    return MailingList("list@d.example", 0.0, access_level=level, members=members)


def test_only_subscribed_members_receive_mail() -> None:
    assert [member.address for member in list_of("members").subscribers] == ["in@x.example"]


@pytest.mark.parametrize(
    ("level", "sender", "may_post"),
    [
        ("everyone", "anyone@y.example", True),
        ("members", "IN@x.example", True),
        ("members", "out@x.example", False),
        ("members", "anyone@y.example", False),
        ("readonly", "in@x.example", False),
    ],
)
def test_the_access_level_decides_who_may_post(level: AccessLevel, sender: str, may_post: bool) -> None:
    assert list_of(level).lets_post(sender) is may_post
