"""The throw-away certificate: for this machine alone, new each time, with a key that stays secret."""

import ssl
from pathlib import Path

from mailgun_mcp.simulator.smtp.certificate import server_context, write_certificate


def test_each_start_has_another_certificate_for_this_machine(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (write_certificate(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() != two.read_bytes()
    assert b"PRIVATE" not in one.read_bytes()
    assert server_context(one).minimum_version >= ssl.TLSVersion.TLSv1_2
