"""What to fix about a domain."""

from pathlib import Path

import pytest

from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio


async def test_a_missing_record_is_shown_as_it_has_to_be(tmp_path: Path) -> None:
    async with account_of("broken-dkim", str(tmp_path)) as account:
        answer = await ask(account, "check_domain_health", {"domain": "mail.example.com"})
    (finding,) = answer.structured["findings"]
    assert finding["evidence"][0]["name"].endswith("._domainkey.mail.example.com")
    assert "is refused by Gmail, Yahoo" in finding["what"]
    assert {"record": "DKIM", "name": finding["evidence"][0]["name"], "valid": "unknown", "key_bits": 1024} in (
        answer.structured["facts"]["dns"]
    )
    # Nobody should take its absence for "there is none".
    assert "_dmarc.mail.example.com" in answer.structured["facts"]["dmarc"]


async def test_third_party_text_stays_fenced(tmp_path: Path) -> None:
    async with account_of("blocklisting", str(tmp_path)) as account:
        answer = await ask(account, "check_domain_health", {"domain": "mail.example.com"})
    boundary = answer.structured["untrusted_text"]["boundary"]
    said = answer.structured["findings"][0]["evidence"]["message"]
    assert said.startswith(f"⟦{boundary} receiving server⟧")
    assert said.endswith(f"⟦{boundary}⟧")


async def test_an_answer_without_third_party_text_has_no_notice(tmp_path: Path) -> None:
    async with account_of("healthy", str(tmp_path)) as account:
        answer = await ask(account, "check_domain_health", {"domain": "mail.example.com"})
    assert "untrusted_text" not in answer.structured
