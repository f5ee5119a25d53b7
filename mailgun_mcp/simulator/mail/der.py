"""Writes and reads the ASN.1 that keys and certificates need. Sources: X.690, RFC 8017, RFC 5280.

Keys are derived from a hash of their purpose. They look like RSA keys, but no valid private half exists.
"""

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from hashlib import sha256
from time import gmtime, strftime

INTEGER, BITS, NULL, OID, UTF8, UTC_TIME, SEQUENCE, SET = 0x02, 0x03, 0x05, 0x06, 0x0C, 0x17, 0x30, 0x31
RSA = bytes.fromhex("2a864886f70d010101")
SHA256_RSA = bytes.fromhex("2a864886f70d01010b")
COMMON_NAME = bytes.fromhex("550403")
EXPONENT = 65537
PEM_LINE = 64
PKCS1 = "RSA PRIVATE KEY"


def public_key(purpose: str, bits: int) -> str:
    """Return a fake RSA public key in base64. The same `purpose` always gives the same key."""
    return b64encode(_public_key(_number(purpose, bits), EXPONENT)).decode()


def public_key_of(pem: str) -> str:
    """Return the public key, in base64, of a PKCS#1 private key. Raises ValueError when `pem` is not such a key."""
    head, tail = f"-----BEGIN {PKCS1}-----", f"-----END {PKCS1}-----"
    start, end = pem.find(head), pem.find(tail)
    if start < 0 or end < start:
        raise ValueError("not a PKCS#1 key")
    try:
        content = b64decode("".join(pem[start + len(head) : end].split()), validate=True)
    except BinasciiError as error:
        raise ValueError("not base64") from error
    _, modulus, exponent = _integers(content)[:3]
    return b64encode(_public_key(modulus, exponent)).decode()


def private_key(purpose: str, bits: int) -> str:
    """Return a PKCS#1 private key file with the public half of `public_key` and an invalid private half."""
    numbers = [0, _number(purpose, bits), EXPONENT, *([1] * 6)]
    return _pem(PKCS1, _tlv(SEQUENCE, b"".join(map(_integer, numbers))))


def certificate(host: str, serial: int, start: float, end: float) -> str:
    """Return a certificate for `host` in PEM. Its signature is invalid."""
    algorithm = _tlv(SEQUENCE, _tlv(OID, SHA256_RSA) + _tlv(NULL, b""))
    validity = _tlv(SEQUENCE, _moment(start) + _moment(end))
    key = _public_key(_number(f"{host} {serial}", 2048), EXPONENT)
    content = _integer(serial) + algorithm + _name("Mailgun Simulator CA") + validity + _name(host) + key
    signature = _tlv(BITS, b"\0" + sha256(content).digest() * 8)
    return _pem("CERTIFICATE", _tlv(SEQUENCE, _tlv(SEQUENCE, content) + algorithm + signature))


def _number(purpose: str, bits: int) -> int:
    data = b"".join(sha256(f"{purpose} {part}".encode()).digest() for part in range(bits // 256))
    return int.from_bytes(data, "big") | 1 << (bits - 1) | 1


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _public_key(modulus: int, exponent: int) -> bytes:
    key = _tlv(SEQUENCE, _integer(modulus) + _integer(exponent))
    return _tlv(SEQUENCE, _tlv(SEQUENCE, _tlv(OID, RSA) + _tlv(NULL, b"")) + _tlv(BITS, b"\0" + key))


def _name(common: str) -> bytes:
    return _tlv(SEQUENCE, _tlv(SET, _tlv(SEQUENCE, _tlv(OID, COMMON_NAME) + _tlv(UTF8, common.encode()))))


def _moment(at: float) -> bytes:
    return _tlv(UTC_TIME, strftime("%y%m%d%H%M%SZ", gmtime(at)).encode())


def _pem(kind: str, content: bytes) -> str:
    text = b64encode(content).decode()
    lines = [text[start : start + PEM_LINE] for start in range(0, len(text), PEM_LINE)]
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""))


def _integers(content: bytes) -> list[int]:
    """Return the integers in a sequence. Raises ValueError when it contains anything else."""
    tag, body, rest = _read(content)
    if tag != SEQUENCE or rest:
        raise ValueError("not a sequence")
    integers = []
    while body:
        tag, value, body = _read(body)
        if tag != INTEGER:
            raise ValueError("not an integer")
        integers.append(int.from_bytes(value, "big", signed=True))
    if len(integers) < 9 or min(integers[1:3]) < 1:
        raise ValueError("not a private key")
    return integers


def _read(content: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and content of the first value, and the bytes after it."""
    if len(content) < 2:
        raise ValueError("cut short")
    tag, size, start = content[0], content[1], 2
    if size & 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(content[2:start], "big")
    if len(content) < start + size:
        raise ValueError("cut short")
    return tag, content[start : start + size], content[start + size :]
