"""The checks of `doctor`, one by one."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailgun_mcp.catalogue.builtin_tools import offered
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli import checks
from mailgun_mcp.cli.checks import CheckResult
from mailgun_mcp.errors import MailgunError, RejectedError, UnreachableError
from mailgun_mcp.mailgun.endpoint import Endpoint, resolve
from mailgun_mcp.mailgun.response import Response
from mailgun_mcp.settings import Settings
from tests.cli.conftest import settling

NEW_KEY = "0123456789abcdef0123456789abcdef-01234567-89abcdef"
OLD_KEY = "key-0123456789abcdef0123456789abcdef"
US, EU, OWN = resolve(region="us"), resolve(region="eu"), resolve(url="https://mail.example.com")
NOW = 1_800_000_000.0


def answered(content: bytes = b'{"items": [], "total_count": 3}', **headers: str) -> Response:
    return Response(200, {"content-type": "application/json", **headers}, content)


def refused(status: int | None) -> MailgunError:
    if status is None:
        return UnreachableError("Mailgun said no", "Do this.")
    return RejectedError("Mailgun said no", "Do this.", status=status)


def kinds(check: CheckResult) -> tuple[str, str]:
    return check.name, check.state


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            Settings(simulator=True), CheckResult("key", "ok", "the simulator does not need one"), id="simulator"
        ),
        pytest.param(Settings(api_key=OLD_KEY), CheckResult("key", "ok", "from MAILGUN_API_KEY"), id="older-shape"),
        pytest.param(Settings(api_key=NEW_KEY), CheckResult("key", "ok", "from MAILGUN_API_KEY"), id="newer-shape"),
        pytest.param(
            Settings(api_key=NEW_KEY[:-1]),
            CheckResult(
                "key",
                "warning",
                "the key from MAILGUN_API_KEY does not look like a Mailgun key",
                "Check that it was copied completely.",
            ),
            id="cut-off",
        ),
        pytest.param(
            Settings(api_key=f"pub{OLD_KEY}"),
            CheckResult(
                "key", "failure", "this is a public validation key, which the API refuses", "Use a private API key."
            ),
            id="public",
        ),
    ],
)
def test_the_keys_shape_is_judged(settings: Settings, expected: CheckResult) -> None:
    assert checks.key(settings) == expected


def test_a_key_of_an_account_names_where_it_comes_from() -> None:
    check = checks.key(Settings(api_key="short"), "the variable MY_KEY")
    assert check.text == "the key from the variable MY_KEY does not look like a Mailgun key"


def test_a_missing_key_fails() -> None:
    assert kinds(checks.key(Settings())) == ("key", "failure")


@pytest.mark.parametrize(
    ("mode", "state", "text"),
    [
        (0o600, "ok", "from "),
        (0o640, "warning", "can be read by its group"),
        (0o644, "warning", "can be read by everyone on this computer"),
    ],
)
def test_a_key_file_that_others_can_read_is_warned_of(mode: int, state: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OLD_KEY, encoding="utf-8")
    (tmp_path / "key").chmod(mode)
    check = checks.key(Settings(api_key_file=str(tmp_path / "key")))
    assert (check.state, text in check.text) == (state, True)


@pytest.mark.parametrize(
    ("settings", "endpoint", "text"),
    [
        (Settings(), US, "US, by default: https://api.mailgun.net"),
        (Settings(region="eu"), EU, "EU: https://api.eu.mailgun.net"),
        (Settings(url=OWN.url), OWN, "https://mail.example.com, which is not one of Mailgun's regions"),
        (Settings(simulator=True), US, "the simulator, inside this process"),
    ],
)
def test_the_region_is_told(settings: Settings, endpoint: Endpoint, text: str) -> None:
    assert checks.region(settings, endpoint) == CheckResult("region", "ok", text)


@pytest.mark.parametrize(
    ("endpoint", "body", "check"),
    [
        pytest.param(
            US,
            b'{"items": [1], "total_count": 3}',
            CheckResult("login", "ok", "the key works; it sees 3 domains"),
            id="us",
        ),
        pytest.param(OWN, b'{"items": []}', CheckResult("login", "ok", "the key works"), id="untold"),
        pytest.param(
            US,
            b'{"items": [], "total_count": 0}',
            CheckResult(
                "login",
                "ok",
                "the key works; it sees no domains",
                'To see domains of the EU region, set MAILGUN_API_REGION=eu, or region = "eu" of an account in mailgun-mcp.toml.',
            ),
            id="none",
        ),
    ],
)
def test_a_key_that_works_says_what_it_sees(endpoint: Endpoint, body: bytes, check: CheckResult) -> None:
    assert checks.login(answered(body), endpoint, None) == check


@pytest.mark.parametrize("body", [b"Mailgun Magnificent API", b"[]", b"{}", b'{"items"', b"\xff"])
def test_an_answer_that_is_not_mailguns_fails(body: bytes) -> None:
    check = checks.login(answered(body), OWN, None)
    assert (check.state, check.text) == (
        "failure",
        "https://mail.example.com answered, but the response is not from Mailgun's API",
    )


@pytest.mark.parametrize(
    ("elsewhere", "text", "step"),
    [
        (True, "Mailgun said no; the EU region accepts this key", "Set MAILGUN_API_REGION=eu, or region"),
        (False, "Mailgun said no; the EU region was tried too and does not accept it either", "Check the key. "),
        (None, "Mailgun said no", "Check the key. "),
    ],
)
def test_a_refused_key_is_told_of_the_other_region_when_that_was_asked(
    elsewhere: bool | None, text: str, step: str
) -> None:
    check = checks.login(refused(401), US, elsewhere)
    assert (check.state, check.text, check.step.startswith(step)) == ("failure", text, True)


@pytest.mark.parametrize(("status", "state"), [(403, "warning"), (404, "failure"), (500, "failure"), (None, "failure")])
def test_other_answers_are_not_taken_for_a_refusal(status: int | None, state: str) -> None:
    check = checks.login(refused(status), US, None)
    assert (check.state, "refused" in check.text) == (state, False)


def test_permissions_are_allowed_forbidden_or_unknown_and_never_guessed() -> None:
    answers: dict[str, Response | MailgunError] = {
        "a": answered(),
        "b": refused(401),
        "c": refused(403),
        "d": refused(404),
        "e": refused(None),
    }
    text = "to read, allowed: a; forbidden: b, c; unknown: d (HTTP 404), e (Mailgun said no)"
    assert checks.permissions(answers) == CheckResult(
        "permissions", "warning", text, "Run doctor again to check what is unknown."
    )


def test_permissions_that_are_all_known_are_fine() -> None:
    assert checks.permissions({"a": answered(), "b": refused(403)}) == CheckResult(
        "permissions", "ok", "to read, allowed: a; forbidden: b"
    )


@pytest.mark.parametrize(
    ("ahead", "state", "text"),
    [
        (0, "ok", "within 60 s of Mailgun's"),
        (60, "ok", "within 60 s of Mailgun's"),
        (-60, "ok", "within 60 s of Mailgun's"),
        (61, "warning", "61 s ahead of Mailgun's"),
        (-3600, "warning", "3600 s behind Mailgun's"),
    ],
)
def test_a_clock_that_is_off_is_warned_of(ahead: int, state: str, text: str) -> None:
    answers: list[Response | MailgunError] = [refused(403), answered(date=formatdate(NOW, usegmt=True))]
    check = checks.clock(answers, NOW + ahead)
    assert (check.state, check.text) == (state, text)


@pytest.mark.parametrize(
    "answer", [answered(), answered(date="yesterday"), refused(403)], ids=["none", "no-date", "fault"]
)
def test_a_clock_without_a_date_is_not_judged(answer: Response | MailgunError) -> None:
    assert checks.clock([answer], NOW) == CheckResult("clock", "ok", "not compared: no response contained a date")


@pytest.mark.parametrize(
    ("toolsets", "crowded"),
    [
        ((), "; too many for Cursor (80), VS Code (128), Windsurf (100)"),
        (("events",), ""),
    ],
)
def test_tools_are_counted_against_the_clients_limits(toolsets: tuple[str, ...], crowded: str) -> None:
    catalogue = Catalogue.load().select(toolsets=toolsets)
    check = checks.tools(catalogue)
    assert check.state == "ok"
    assert check.text.startswith(f"{len(catalogue) + len(offered(catalogue))}, about ")
    assert check.text.endswith(f" tokens{crowded}")


def test_checks_do_not_wait_as_long_as_calls_may() -> None:
    assert checks.patient(Settings(timeout=120)).timeout == checks.PATIENCE
    assert checks.patient(Settings(timeout=2)).timeout == 2


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    try:
        async with settling():
            yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def says_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def says_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def looked_at(url: str) -> CheckResult:
    return await anyio.to_thread.run_sync(checks.network, resolve(url=url), 5.0)


@pytest.fixture
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    return path


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
async def test_a_host_without_encryption_is_reached() -> None:
    async with serving(says_nothing) as port:
        assert await looked_at(f"http://127.0.0.1:{port}") == CheckResult(
            "network", "ok", f"DNS and TCP to 127.0.0.1:{port}"
        )


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
async def test_a_name_that_does_not_exist_is_a_fault_of_dns() -> None:
    check = await looked_at("https://mailgun.invalid")
    assert (check.state, check.text.split(" (")[0]) == ("failure", "DNS: mailgun.invalid was not found")


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
async def test_a_closed_port_is_a_fault_of_tcp() -> None:
    async with serving(says_nothing) as port:
        pass
    check = await looked_at(f"https://127.0.0.1:{port}")
    assert (check.state, check.text.split(" (")[0]) == ("failure", f"TCP: no connection to 127.0.0.1:{port}")


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
@pytest.mark.parametrize("handler", [says_http, says_nothing])
async def test_a_host_that_does_not_encrypt_is_a_fault_of_tls(handler: Handler) -> None:
    async with serving(handler) as port:
        check = await looked_at(f"https://127.0.0.1:{port}")
    assert (check.state, check.text.split(" (")[0]) == ("failure", "TLS: no encrypted connection to 127.0.0.1")


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
async def test_a_certificate_that_nobody_vouches_for_is_a_fault_of_tls(self_signed: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(self_signed)
    async with serving(says_nothing, context) as port:
        check = await looked_at(f"https://127.0.0.1:{port}")
    assert (check.state, check.text.split(" (")[0]) == ("failure", "TLS: the certificate of 127.0.0.1 is refused")


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
async def test_behind_a_proxy_the_proxy_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(says_nothing) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
        check = await looked_at("https://api.mailgun.net")
    assert check == CheckResult("network", "ok", f"DNS and TCP to the proxy 127.0.0.1:{port}")


@pytest.mark.anyio
@pytest.mark.usefixtures("_no_proxy")
@pytest.mark.parametrize("proxy", ["http://", "http://127.0.0.1:port"])
async def test_a_proxy_that_is_no_url_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    check = await looked_at("https://api.mailgun.net")
    assert check == CheckResult(
        "network", "failure", "the proxy's address is not a URL", "Check HTTPS_PROXY and ALL_PROXY."
    )


def test_a_strangers_package_in_ours_is_a_failure_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgun_mcp.cli.foreign_package.foreign_owners", lambda: ["mailgun_mcp in /site"])
    check = checks.package()
    assert (check.state, "Uninstall both, then install mailgun-mcp-server again." in check.step) == ("failure", True)
