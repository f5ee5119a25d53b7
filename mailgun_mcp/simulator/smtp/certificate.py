"""A self-signed certificate for this machine, made at each start and discarded at the end."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

NAMES = ("localhost",)
ADDRESSES = ("127.0.0.1", "::1")
VALID = timedelta(days=397)


def write_certificate(folder: Path) -> Path:
    """Write a new certificate and its key to `folder`, which only its owner may be able to read. Return the file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Mailgun simulator")])
    names = [*map(x509.DNSName, NAMES), *(x509.IPAddress(ip_address(text)) for text in ADDRESSES)]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "certificate.pem"


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return a TLS context for a server with the certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Python's own default, which Debian's Python leaves to OpenSSL.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context
