"""Symfony Mailer's Mailgun bridge, as Debian packages it, sends to the simulator by each of its transports."""

from pathlib import Path

import pytest

from tests.support.sdk import PROGRAMS, calls_of, check_results, need_command, run, without

BRIDGE = Path("/usr/share/php/Symfony/Component/Mailer/Bridge/Mailgun")
PACKAGE = "php-symfony-mailgun-mailer"


@pytest.mark.slow
def test_each_transport_sends(smtp_simulator: dict[str, str]) -> None:
    php = need_command("php")
    if not BRIDGE.is_dir():
        without(f"Debian's package {PACKAGE} is not installed", provided=False)
    done = run([php, "symfony.php"], PROGRAMS / "php", **smtp_simulator)
    version = run(["dpkg-query", "-W", "-f", "${source:Upstream-Version}", PACKAGE], PROGRAMS).stdout
    check_results("Symfony Mailer, Mailgun bridge (PHP)", version.partition("+")[0], calls_of(done))
