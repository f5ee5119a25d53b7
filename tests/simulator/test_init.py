"""What the package offers, and what it leaves unloaded."""

import subprocess
import sys

import pytest

from mailgun_mcp import simulator


def test_it_offers_the_app_and_the_account() -> None:
    assert simulator.__all__ == ["Account", "Simulator", "create_app"]


def test_a_name_that_it_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        simulator.nothing  # noqa: B018 - reading it is the test


def test_it_loads_no_framework_except_starlette() -> None:
    code = (
        "import sys\nfrom mailgun_mcp.simulator import Account, create_app\n"
        "heavy = {'mcp', 'httpx', 'pydantic', 'jsonschema', 'structlog', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
