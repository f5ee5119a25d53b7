"""Nodemailer sends to the simulator: by SMTP, with a certificate that it checks, and with its Mailgun transport."""

import json
import re
from pathlib import Path

import pytest

from tests.sdk.conftest import KEY
from tests.support.processes import simulator_output
from tests.support.sdk import NODE, calls_of, check_results, run

PATTERNS = {
    "MAILGUN_URL": r"listens on (http://\S+)",
    "SMTP_PORT": r"127\.0\.0\.1:(\d+) \(STARTTLS\)",
    "SMTP_TLS_PORT": r"127\.0\.0\.1:(\d+) \(TLS\)",
    "SMTP_CERTIFICATE": r"certificate: (\S+)",
}


@pytest.mark.slow
def test_each_transport_sends(node: str, tmp_path: Path) -> None:
    flags = ("--key", KEY, "--smtp", "0", "--smtp-tls", "0")
    with simulator_output(tmp_path, *flags, lines=6) as output:
        variables = {name: match[1] for name, text in PATTERNS.items() if (match := re.search(text, "".join(output)))}
        done = run([node, "nodemailer.mjs"], NODE, MAILGUN_KEY=KEY, **variables)
        assert Path(variables["SMTP_CERTIFICATE"]).parent.stat().st_mode & 0o077 == 0
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    names = ("nodemailer", "nodemailer-mailgun-transport")
    versions = ", ".join(lock[f"node_modules/{name}"]["version"] for name in names)
    check_results("nodemailer, nodemailer-mailgun-transport (Node)", versions, calls_of(done))
