"""Keys and certificates that others can read."""

import ssl
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.mail.der import certificate, private_key, public_key, public_key_of


@pytest.mark.parametrize(("bits", "size"), [(1024, 162), (2048, 294)])
def test_a_public_key_has_the_size_of_its_kind_and_is_always_the_same(bits: int, size: int) -> None:
    assert len(b64decode(public_key("a", bits))) == size
    assert public_key("a", bits) == public_key("a", bits) != public_key("b", bits)


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_private_key_gives_its_public_half(bits: int) -> None:
    assert public_key_of(private_key("a", bits)) == public_key("a", bits)


@pytest.mark.parametrize(
    "pem", ["", private_key("a", 1024)[:200], private_key("a", 1024).replace("RSA PRIVATE", "PRIVATE")]
)
def test_only_a_pkcs1_key_is_accepted(pem: str) -> None:
    with pytest.raises(ValueError, match="not a PKCS#1 key"):
        public_key_of(pem)


@given(st.binary(max_size=60), st.text(max_size=20))
def test_nonsense_is_refused_whatever_it_is(data: bytes, text: str) -> None:
    from base64 import b64encode

    for body in (b64encode(data).decode(), text):
        with pytest.raises(ValueError):  # noqa: PT011 - which text depends on the nonsense
            public_key_of(f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----")


def test_openssl_reads_a_certificate(tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    path.write_text(certificate("email.example.com", 7, 1_795_000_000, 1_802_776_000), encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    assert ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii"))
