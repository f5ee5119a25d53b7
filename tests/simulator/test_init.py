"""What the package offers, and what it leaves unloaded."""

import subprocess
import sys

from mailgun_mcp import simulator


def test_it_offers_the_app_and_the_account() -> None:
    assert simulator.__all__ == ["Account", "Simulator", "create_app"]


def test_it_loads_no_framework_except_starlette() -> None:
    code = (
        "import sys, mailgun_mcp.simulator\n"
        "heavy = {'mcp', 'httpx', 'pydantic', 'jsonschema', 'structlog', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
