"""Lengths of keys and dates of certificates are in answers that hold them only in encoded form."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.encoded_facts import TOOLSETS, key_bits, with_encoded_facts
from mailgun_mcp.settings import Settings
from tests.support.apps import opened
from tests.support.calls import run
from tests.support.operations import catalogue, find


def dkim_record(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "email.mail.example.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2026, 4, 1, tzinfo=UTC)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("bits", [1024, 2048])
def test_the_length_of_a_key_is_told(bits: int) -> None:
    record = dkim_record(rsa.generate_private_key(65537, bits))
    assert key_bits(record) == key_bits(f"k=rsa;p={record.partition('p=')[2]};t=s") == bits
    answer = {"sending_dns_records": [{"name": "pic._domainkey.a.example", "value": record}]}
    shown = with_encoded_facts(find("get_domain"), answer)["sending_dns_records"]
    assert shown == [{"name": "pic._domainkey.a.example", "value": record, "key_bits": bits}]


@pytest.mark.parametrize(
    "record",
    [None, 5, "", "v=spf1 -all", "p=", f"k=rsa; p={'A' * 200}", f"k=rsa; p={'A' * 201}", "p=" + "é" * 200],
)
def test_what_is_no_key_has_no_length(record: object) -> None:
    assert key_bits(record) is None


def test_a_key_of_another_kind_has_no_length() -> None:
    assert key_bits(dkim_record(ec.generate_private_key(ec.SECP384R1()))) is None


def test_a_certificate_says_when_it_is_valid() -> None:
    pem = certificate()
    shown = with_encoded_facts(find("get_tracking_certificate"), {"status": "ok", "certificate": pem})
    assert shown == {
        "status": "ok",
        "certificate": pem,
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-04-01T00:00:00Z",
    }


@pytest.mark.parametrize("text", ["", "none", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_stays_as_it_is(text: str) -> None:
    assert with_encoded_facts(find("get_tracking_certificate"), {"certificate": text}) == {"certificate": text}


def test_other_answers_are_not_searched() -> None:
    answer = {"items": [{"value": dkim_record(rsa.generate_private_key(65537, 1024))}]}
    assert with_encoded_facts(find("list_bounces"), answer) is answer
    assert {operation.toolset for operation in catalogue()} >= TOOLSETS


@pytest.mark.anyio
async def test_a_call_shows_them(tmp_path: Path) -> None:
    services = opened(create_services(Settings(simulator=True, state=str(tmp_path))))
    domain = await run(services, "get_domain", {"domain": "mail.example.com"})
    assert domain.structured is not None, domain.text
    keys = [record.get("key_bits") for record in domain.structured["sending_dns_records"]]
    assert sorted(filter(None, keys)) == [1024]
