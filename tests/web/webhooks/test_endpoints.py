"""Endpoints: signed as Standard Webhooks says, with a secret that can be used."""

from base64 import b64encode
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.policy.model import WebhookRules
from mailgun_mcp.web.webhooks.endpoints import WebhookEndpoint, endpoints_of

URL = "https://hooks.example.com/in"
SECRET = b"0123456789abcdef0123456789abcdef"
WRITTEN = f"whsec_{b64encode(SECRET).decode()}"


def test_the_library_of_the_standard_accepts_the_signature_and_no_other() -> None:
    import time

    now, body = time.time(), b'{"type": "approval.pending"}'
    headers = WebhookEndpoint(URL, secret=SECRET).headers("msg_1", now, body)
    assert Webhook(WRITTEN).verify(body, headers) == {"type": "approval.pending"}
    for changed in ({"webhook-id": "msg_2"}, {"webhook-timestamp": str(int(now) - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(WRITTEN).verify(body, {**headers, **changed})
    with pytest.raises(WebhookVerificationError):
        Webhook(WRITTEN).verify(body, WebhookEndpoint(URL, secret=b"x" * 32).headers("msg_1", now, body))
    assert "webhook-signature" not in WebhookEndpoint(URL).headers("msg_1", now, body)


def test_an_endpoint_is_what_the_policy_says(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{WRITTEN}\n", encoding="utf-8")
    rules = [
        WebhookRules(URL, secret_file=str(tmp_path / "secret")),
        WebhookRules(f"{URL}/slack", "slack", ("approval.pending",)),
    ]
    signed, slack = endpoints_of(rules)
    assert (signed.secret, signed.takes("approval.used"), slack.secret) == (SECRET, True, None)
    assert (slack.takes("approval.pending"), slack.takes("approval.used")) == (True, False)
    assert URL not in signed.id
    assert SECRET.decode() not in repr(signed)


@pytest.mark.parametrize("text", ["whsec_", "whsec_x", f"whsec_{b64encode(b'short').decode()}", "é"])
def test_a_secret_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text, encoding="utf-8")
    for name in ("secret", "missing"):
        with pytest.raises(SettingsError, match=r"notify\.webhooks: the secret in"):
            endpoints_of([WebhookRules(URL, secret_file=str(tmp_path / name))])
