"""The plugin in a pytest run of its own: it offers the fixture, and costs other runs nothing."""

import subprocess
import sys
from pathlib import Path

PLUGIN = "mailgun_mcp.simulator.pytest_plugin"
TESTS = """
async def send(mailgun):
    async with mailgun.async_client() as client:
        message = {"from": "a@mail.example.com", "to": "b@x.example", "text": "Hi"}
        return await client.post(f"/v3/{mailgun.domain}/messages", data=message)

def test_mail_is_sent(mailgun):
    import asyncio
    assert asyncio.run(send(mailgun)).status_code == 200
    assert [message.text for message in mailgun.messages(to="b@x.example")] == ["Hi"]

def test_each_test_has_an_account_of_its_own(mailgun):
    assert mailgun.messages() == []
"""


def test_the_fixture_is_there_and_new_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_importing_the_plugin_imports_nothing_but_its_packages() -> None:
    code = f"import sys, pytest; before = set(sys.modules); import {PLUGIN}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mailgun_mcp", "mailgun_mcp.simulator", PLUGIN]
