"""The outbox is bounded; a posting starts untried."""

from mailgun_mcp.simulator.model.webhooks import OUTBOX_LIMIT, Posting, Webhooks, WebhookSignature


def test_the_outbox_forgets_the_oldest_postings() -> None:
    webhooks = Webhooks()
    for number in range(OUTBOX_LIMIT + 2):
        signature = WebhookSignature("1", "token", "signature")
        webhooks.outbox.append(
            Posting(str(number), "webhook", "https://x.example", "d.example", "opened", 0.0, signature, {}, 0.0)
        )
    assert (len(webhooks.outbox), webhooks.outbox[0].id) == (OUTBOX_LIMIT, "2")
    assert (webhooks.outbox[0].attempts, webhooks.outbox[0].outcome) == ([], "")
