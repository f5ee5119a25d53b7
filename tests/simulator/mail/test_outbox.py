"""Webhooks are called with valid signatures, again on the clock's time, and never after a refusal."""

import hmac
import json

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.mail.outbox import RETRIES, send_due_posts
from mailgun_mcp.simulator.mail.webhooks import encode_posting
from mailgun_mcp.simulator.model.clock import HOUR, MINUTE, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.model.webhooks import AccountWebhook, Posting
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

URL = "https://x.example/hook"


class Receiver:
    """Answers every posting with one status, and keeps what it got."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.got: list[tuple[str, str, bytes]] = []

    async def __call__(self, url: str, content_type: str, body: bytes) -> int:
        self.got.append((url, content_type, body))
        return self.status


@pytest.fixture(autouse=True)
def nothing_yet(account: Account) -> None:
    account.webhooks.by_id.clear()
    account.webhooks.outbox.clear()
    account.routes.by_id.clear()


def send(account: Account, plain: Domain, to: str = "ann@x.example") -> None:
    now = account.clock.now()
    accept(account, plain, StoredMessage(account.opaque_id(), "1@x", PLAIN, now, "a@x.example", [to], {"Subject": "S"}))


def called(account: Account) -> list[tuple[str, str]]:
    return [(posting.event, posting.url) for posting in account.webhooks.outbox]


@pytest.mark.parametrize(
    ("to", "kinds"),
    [
        ("ann@x.example", ["accepted", "delivered"]),
        ("bounce@x.example", ["accepted", "permanent_fail"]),
        ("defer@x.example", ["accepted", "temporary_fail"]),
        ("complain@x.example", ["accepted", "delivered", "complained"]),
        ("click@x.example", ["accepted", "delivered", "opened", "clicked"]),
        ("unsubscribe@x.example", ["accepted", "delivered", "unsubscribed"]),
    ],
)
def test_each_event_calls_the_webhooks_of_its_type(account: Account, plain: Domain, to: str, kinds: list[str]) -> None:
    plain.webhooks = {kind: [f"{URL}/{kind}"] for kind in kinds}
    send(account, plain, to)
    assert called(account) == [(kind, f"{URL}/{kind}") for kind in kinds]


def test_events_that_nobody_waits_for_call_nobody(account: Account, plain: Domain) -> None:
    plain.webhooks = {"clicked": [URL]}
    send(account, plain)
    assert called(account) == []


def test_a_url_of_domain_and_account_is_called_once(account: Account, plain: Domain) -> None:
    plain.webhooks = {"accepted": [URL]}
    for number, url in enumerate((URL, f"{URL}/account", f"{URL}/account")):
        account.webhooks.by_id[str(number)] = AccountWebhook(str(number), url, ["accepted"], 0.0)
    send(account, plain)
    assert called(account) == [("accepted", URL), ("accepted", f"{URL}/account")]
    of_domain, of_account = (
        json.loads(encode_posting(posting)[1])["event-data"] for posting in account.webhooks.outbox
    )
    assert "account-id" not in of_domain
    assert (of_account["domain-name"], of_account["account-id"]) == (PLAIN, account.id)


def test_a_call_is_signed_with_the_account_s_key(account: Account, plain: Domain) -> None:
    plain.webhooks = {"accepted": [URL]}
    account.administration.access.signing_key = "key-changed"
    send(account, plain)
    (posting,) = account.webhooks.outbox
    content_type, body = encode_posting(posting)
    payload = json.loads(body)
    signature = payload["signature"]
    message = signature["timestamp"] + signature["token"]
    assert signature["signature"] == hmac.new(b"key-changed", message.encode(), "sha256").hexdigest()
    assert (content_type, len(signature["token"])) == ("application/json", 50)
    assert signature["timestamp"] == str(int(account.clock.now()))
    assert payload["event-data"] == next(iter(plain.events)).record


def test_no_two_calls_have_the_same_token(account: Account, plain: Domain) -> None:
    plain.webhooks = {"accepted": [URL, f"{URL}/2"], "delivered": [URL]}
    send(account, plain)
    assert len({posting.signature.token for posting in account.webhooks.outbox}) == 3


async def test_nothing_is_posted_until_someone_asks(account: Account, plain: Domain) -> None:
    plain.webhooks = {"accepted": [URL]}
    send(account, plain)
    (posting,) = account.webhooks.outbox
    assert (posting.attempts, posting.outcome) == ([], "")
    receiver = Receiver()
    assert await send_due_posts(account, receiver) == [posting]
    assert receiver.got == [(URL, *encode_posting(posting))]
    assert (posting.attempts, posting.outcome, posting.due_at) == ([(account.clock.now(), 200)], "taken", None)
    assert await send_due_posts(account, receiver) == []


async def post_until_over(account: Account, clock: ManualClock, receiver: Receiver) -> list[float]:
    """Ask every minute for nine hours, and return the seconds at which something was posted."""
    start, asked = clock.now(), []
    for _ in range(9 * 60):
        if await send_due_posts(account, receiver):
            asked.append(clock.now() - start)
        clock.advance(MINUTE)
    return asked


@pytest.mark.parametrize("status", [0, 302, 404, 500])
async def test_what_is_not_taken_is_posted_again_for_eight_hours(
    account: Account, plain: Domain, clock: ManualClock, status: int
) -> None:
    plain.webhooks = {"accepted": [URL]}
    send(account, plain)
    asked = await post_until_over(account, clock, Receiver(status))
    assert asked == [sum(RETRIES[:tried]) for tried in range(len(RETRIES) + 1)]
    assert asked[-1] == 8 * HOUR + 5 * MINUTE
    (posting,) = account.webhooks.outbox
    assert (posting.outcome, len(posting.attempts)) == ("given up", 8)


async def test_a_refusal_is_final(account: Account, plain: Domain, clock: ManualClock) -> None:
    plain.webhooks = {"accepted": [URL]}
    send(account, plain)
    assert await post_until_over(account, clock, Receiver(406)) == [0.0]
    assert [posting.outcome for posting in account.webhooks.outbox] == ["refused"]


async def test_a_delivery_is_told_only_once(account: Account, plain: Domain, clock: ManualClock) -> None:
    plain.webhooks = {"delivered": [URL]}
    send(account, plain)
    assert await post_until_over(account, clock, Receiver(500)) == [0.0]
    assert [posting.outcome for posting in account.webhooks.outbox] == ["given up"]


async def test_a_retry_that_is_taken_ends_it(account: Account, plain: Domain, clock: ManualClock) -> None:
    plain.webhooks = {"accepted": [URL]}
    send(account, plain)
    receiver = Receiver(503)
    await send_due_posts(account, receiver)
    receiver.status = 200
    clock.advance(RETRIES[0])
    (posting,) = await send_due_posts(account, receiver)
    assert [status for _, status in posting.attempts] == [503, 200]
    assert receiver.got[0] == receiver.got[1]


async def test_two_who_ask_at_once_post_once(account: Account, plain: Domain) -> None:
    plain.webhooks = {"accepted": [URL]}
    send(account, plain)
    inner: list[list[Posting]] = []

    async def slow(_: str, __: str, ___: bytes) -> int:
        inner.append(await send_due_posts(account, slow))
        return 200

    assert len(await send_due_posts(account, slow)) == 1
    assert inner == [[]]


async def test_mail_forwarded_to_a_url_is_delivered_when_it_is_taken(account: Account, plain: Domain) -> None:
    account.routes.by_id["r"] = Route("r", 1, "catch_all()", 0.0, [f'forward("{URL}")'])
    deliver_inbound(account, {"from": "ann@x.example", "to": f"in@{PLAIN}", "text": "Hello"})
    assert [event.record["event"] for event in plain.events] == ["accepted"]
    await send_due_posts(account, Receiver())
    *_, delivered = [event.record for event in plain.events]
    assert (delivered["event"], delivered["envelope"]["transport"], delivered["envelope"]["targets"]) == (
        "delivered",
        "http",
        URL,
    )
