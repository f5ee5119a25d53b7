"""The toolkit: the same tools and guard rails inside somebody's program."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import mailgun_mcp
from mailgun_mcp import Toolkit
from mailgun_mcp.catalogue.provider_formats import FORMATS
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.store.database import Store

pytestmark = pytest.mark.anyio
BOUNCE = {"domain_name": "mail.example.com", "address": "nobody@example.net"}


@pytest.fixture
async def toolkit(tmp_path: Path) -> AsyncIterator[Toolkit]:
    async with Toolkit(simulator=True, state=str(tmp_path)) as made:
        yield made


def names(tools: list[dict[str, Any]]) -> list[str]:
    return [tool.get("name") or tool.get("title") or tool["function"]["name"] for tool in tools]


async def test_the_tools_are_those_of_a_server_with_the_same_settings(tmp_path: Path) -> None:
    async with Toolkit(simulator=True, state=str(tmp_path), toolsets="bounces", read_only=True) as toolkit:
        for form in FORMATS:
            assert names(toolkit.tools(form)) == ["get_bounce", "list_bounces", "read_result", "whoami"]


async def test_a_read_answers(toolkit: Toolkit) -> None:
    result = await toolkit.call("list_domains", {"limit": 1})
    assert not result.is_error
    assert result.structured is not None
    assert len(result.structured["items"]) == 1


async def test_what_policy_wants_confirmed_waits_for_an_approval(toolkit: Toolkit, tmp_path: Path) -> None:
    result = await toolkit.call("clear_bounces", {"domain_name": "mail.example.com"}, "ann")
    assert result.kind == "refused"
    assert result.approval is not None
    assert result.approval["id"] in result.text
    left = await toolkit.call("list_bounces", {"domain_name": "mail.example.com"})
    assert left.structured is not None
    assert left.structured["items"]


async def test_the_audit_log_names_who_asked(tmp_path: Path) -> None:
    from mailgun_mcp.audit.log import AuditLog

    async with Toolkit(simulator=True, state=str(tmp_path)) as toolkit:
        await toolkit.call("clear_bounces", {"domain_name": "mail.example.com"}, "ann@example.com")
    logged = [entry.fields for entry in AuditLog(Store(tmp_path)).entries() if "principal" in entry.fields]
    assert [(fields["principal"], fields["client"]) for fields in logged] == [("ann@example.com", "toolkit")]


async def test_an_unknown_tool_is_an_answer_that_names_the_nearest(toolkit: Toolkit) -> None:
    result = await toolkit.call("list_domain", {})
    assert (result.kind, "list_domains" in result.text) == ("invalid", True)


async def test_an_unknown_form_names_the_nearest(toolkit: Toolkit) -> None:
    with pytest.raises(SettingsError, match="unknown format 'antropic': did you mean 'anthropic'"):
        toolkit.tools("antropic")  # type: ignore[arg-type] # on purpose


async def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'toolset': did you mean 'toolsets'"):
        Toolkit(simulator=True, toolset="bounces")


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, mailgun_mcp; print([m for m in sys.modules if m.startswith('mailgun_mcp.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Toolkt'"):
        mailgun_mcp.Toolkt  # noqa: B018
