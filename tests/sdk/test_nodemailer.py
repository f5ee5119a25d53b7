"""Nodemailer sends to the simulator: by SMTP, with a certificate that it checks, and with its Mailgun transport."""

import json
from pathlib import Path

import pytest

from tests.support.sdk import NODE, calls_of, check_results, run


@pytest.mark.slow
def test_each_transport_sends(node: str, smtp_simulator: dict[str, str]) -> None:
    done = run([node, "nodemailer.mjs"], NODE, **smtp_simulator)
    assert Path(smtp_simulator["SMTP_CERTIFICATE"]).parent.stat().st_mode & 0o077 == 0
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    names = ("nodemailer", "nodemailer-mailgun-transport")
    versions = ", ".join(lock[f"node_modules/{name}"]["version"] for name in names)
    check_results("nodemailer, nodemailer-mailgun-transport (Node)", versions, calls_of(done))
