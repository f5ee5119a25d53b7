"""Who may approve a pending call, and through which channel. One rule for the web page, the API and chats.

Terminals on the server's machine have a separate rule: see `cli.answering`.
"""

from typing import Literal

from mailgun_mcp.confirm.approvals import Approval, same_person
from mailgun_mcp.identity.access import APPROVE, Access
from mailgun_mcp.identity.principal import Principal

AnswerChannel = Literal["terminal", "page", "chat", "api"]
"""`terminal` includes a page opened with a link from the terminal. `api` is a program with a token."""
OTHER_PERSON = frozenset({"approval", "two_people"})
"""Levels at which callers must not approve their own calls, except in a terminal."""


def may_see(approval: Approval, access: Access) -> bool:
    """Return whether somebody with this access may read the call at all.

    The domains of a call are not known here, so somebody limited to some domains may read none.
    """
    in_account = access.reaches(approval.account)
    return access.has(APPROVE) and access.domains is None and in_account


def why_not(approval: Approval, person: Principal, channel: AnswerChannel, relay: str | None = None) -> str | None:
    """Return why the person may not approve this call, or None if they may.

    `relay` is the principal of a program that passes on the person's answer. Everybody who may see a call may deny it.
    """
    if not person.authenticated:
        return "This server does not know who you are, so your answer does not count."
    if not may_see(approval, person.access):
        return f"{person} may not answer calls in this account."
    if relay is not None and same_person(approval.principal, relay):
        return f"The call was made with the token of {relay}, so {relay} cannot also deliver the answer."
    if same_person(approval.principal, person.id):
        if channel == "api" and relay is None:
            return f"The call is {person}'s own. A token cannot answer calls that are made with it."
        if channel != "terminal" and approval.level in OTHER_PERSON:
            return f"The call is {person}'s own. At the level {approval.level}, somebody else must approve it."
    if approval.status == "pending" and any(
        answer.yes and same_person(answer.by, person.id) for answer in approval.answers
    ):
        return f"{person} has already approved it. A second person must approve it too."
    return None
