"""Recipients do with a mail what people do, and the account shows it as Mailgun would."""

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.mail.recipients import perform_recipient_action
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError
from tests.simulator.conftest import PLAIN

ANN, BOB = "ann@x.example", "bob@x.example"


@pytest.fixture
def message(account: Account, plain: Domain) -> StoredMessage:
    now = account.clock.now()
    sent = StoredMessage("key-1", f"1@{PLAIN}", PLAIN, now, "a@x.example", [ANN, BOB], {"Subject": "S"})
    accept(account, plain, sent)
    plain.messages[sent.key] = sent
    return sent


def suppressed(plain: Domain) -> dict[str, list[str]]:
    return {name: list(getattr(plain, name)) for name in ("bounces", "complaints", "unsubscribes")}


@pytest.mark.parametrize(
    ("action", "event", "kind"),
    [
        ("open", "opened", None),
        ("click", "clicked", None),
        ("complain", "complained", "complaints"),
        ("unsubscribe", "unsubscribed", "unsubscribes"),
        ("bounce", "failed", "bounces"),
    ],
)
def test_an_act_makes_its_event_and_the_list_follows(
    account: Account, plain: Domain, message: StoredMessage, action: str, event: str, kind: str | None
) -> None:
    before = suppressed(plain)
    (made,) = perform_recipient_action(account, action, message.id, ANN)
    assert (made.record["event"], made.record["recipient"]) == (event, ANN)
    assert made in list(plain.events)
    assert suppressed(plain) == before | ({kind: [ANN]} if kind else {})


def test_without_a_recipient_all_of_them_act(account: Account, message: StoredMessage) -> None:
    events = perform_recipient_action(account, "open", f"<{message.id}>")
    assert [event.record["recipient"] for event in events] == [ANN, BOB]


def test_acts_come_after_the_delivery_and_in_order_even_while_the_clock_is_held(
    account: Account, plain: Domain, message: StoredMessage
) -> None:
    for action in ("open", "click", "complain"):
        perform_recipient_action(account, action, message.id, ANN)
    of_ann = [event.record["event"] for event in plain.events if event.record["recipient"] == ANN]
    assert of_ann == ["accepted", "delivered", "opened", "clicked", "complained"]


def test_a_click_tells_the_link(account: Account, message: StoredMessage) -> None:
    (event,) = perform_recipient_action(account, "click", message.key, ANN.upper(), url="https://x.example/a")
    assert event.record["url"] == "https://x.example/a"


@pytest.mark.parametrize(
    ("text", "html", "link"),
    [
        ("", '<a class=x href="https://shop.example/?a=1&amp;b=2">Cart</a>', "https://shop.example/?a=1&b=2"),
        ("", "<a href='mailto:a@x.example'>Mail</a> <A HREF='http://b.example/'>B</A>", "http://b.example/"),
        ("See https://shop.example/cart.", "", "https://shop.example/cart"),
        ("", "<link href='https://styles.example/'>", f"https://www.{PLAIN}/"),
        ("None", "", f"https://www.{PLAIN}/"),
    ],
)
def test_a_click_without_a_link_is_one_on_the_first_of_the_message(
    account: Account, message: StoredMessage, text: str, html: str, link: str
) -> None:
    message.text, message.html = text, html
    (event, _) = perform_recipient_action(account, "click", "key-1")
    assert event.record["url"] == link


def test_unsubscribing_again_adds_the_tag(account: Account, plain: Domain, message: StoredMessage) -> None:
    for tag in ("news", "offers", "news"):
        perform_recipient_action(account, "unsubscribe", message.id, ANN, tag=tag)
    assert plain.unsubscribes[ANN].tags == ["news", "offers"]


def test_a_late_bounce_is_permanent(account: Account, message: StoredMessage) -> None:
    (event,) = perform_recipient_action(account, "bounce", message.id, BOB)
    assert (event.record["severity"], event.record["delivery-status"]["code"]) == ("permanent", 550)
    assert event.record["flags"]["is-delayed-bounce"] is True
    assert event.record["flags"]["is-test-mode"] is False


@pytest.mark.parametrize(
    ("action", "identity", "recipient", "status", "text"),
    [
        pytest.param("opne", f"1@{PLAIN}", "", 400, "open", id="act"),
        pytest.param("open", "2@nowhere", "", 404, "no message '2@nowhere' was delivered", id="message"),
        pytest.param("open", f"1@{PLAIN}", "eve@x.example", 404, "delivered to eve@x.example", id="recipient"),
    ],
)
def test_what_is_unknown_is_refused(
    account: Account, message: StoredMessage, action: str, identity: str, recipient: str, status: int, text: str
) -> None:
    with pytest.raises(ApiError) as caught:
        perform_recipient_action(account, action, identity, recipient)
    assert (caught.value.reply.status_code, text in str(caught.value.reply.data)) == (status, True), message


@pytest.mark.parametrize(("action", "event"), [("open", "opened"), ("click", "clicked")])
def test_what_is_not_tracked_cannot_be_learned_of(
    account: Account, message: StoredMessage, action: str, event: str
) -> None:
    message.untracked = {event}
    with pytest.raises(ApiError, match=f"without tracking, so Mailgun would not learn of the {action}"):
        perform_recipient_action(account, action, "key-1")
