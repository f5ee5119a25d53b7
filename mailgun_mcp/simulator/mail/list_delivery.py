"""Delivers mail to a mailing list: each subscribed member gets a copy."""

from collections.abc import Sequence
from hashlib import sha256

from mailgun_mcp.simulator.mail.composing import KEY_BYTES, Address, recipient_copies
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header, with_headers

UNSUBSCRIBE = "%mailing_list_unsubscribe_url%"


def split_lists(account: Account, addresses: Sequence[Address]) -> tuple[list[Address], list[MailingList]]:
    """Split addresses into individual recipients and the account's mailing lists."""
    people = [person for person in addresses if person[1].lower() not in account.lists]
    lists = [account.lists[address.lower()] for _, address in addresses if address.lower() in account.lists]
    return people, list({each.address: each for each in lists}.values())


def member_copies(account: Account, message: StoredMessage, mailing_list: MailingList) -> list[StoredMessage]:
    """Return the copy of `message` that each subscribed member of the list gets."""
    people = [(member.name, member.address) for member in mailing_list.subscribers]
    variables = {member.address: member.vars for member in mailing_list.subscribers}
    keys = [account.opaque_id(KEY_BYTES) for _ in people]
    member_messages = recipient_copies(message, people, variables, keys)
    for copy in member_messages:
        _add_list_details(copy, message, mailing_list)
    return member_messages


def list_id(mailing_list: MailingList) -> str:
    """Return the list's id as shown in its messages."""
    return mailing_list.list_id or mailing_list.address.replace("@", ".")


def _add_list_details(copy: StoredMessage, original: StoredMessage, mailing_list: MailingList) -> None:
    """Add the list's headers, links and id to a member's copy."""
    address = mailing_list.address
    link = unsubscribe_url(mailing_list, copy.recipients[0])
    reply = (
        address if mailing_list.reply_preference == "list" else find_header(original.headers, "From") or original.sender
    )
    copy.routed = False
    changes = {
        "To": find_header(original.headers, "To") or address,
        "Sender": address,
        "List-Id": f"<{list_id(mailing_list)}>",
        "List-Unsubscribe": f"<{link}>",
        "Reply-To": find_header(original.headers, "Reply-To") or reply,
    }
    copy.headers = with_headers(copy.headers, changes)
    copy.text, copy.html = copy.text.replace(UNSUBSCRIBE, link), copy.html.replace(UNSUBSCRIBE, link)
    copy.mailing_list = {"address": address, "list-id": list_id(mailing_list), "sid": _sid(mailing_list, address)}


def unsubscribe_url(mailing_list: MailingList, member: str) -> str:
    """Return the link with which a member unsubscribes from the list."""
    host = mailing_list.address.rpartition("@")[2]
    return f"https://email.{host}/u/{_sid(mailing_list, member)}"


def _sid(mailing_list: MailingList, address: str) -> str:
    return sha256(f"{mailing_list.address} {address}".encode("utf-8", "replace")).hexdigest()[:24]
