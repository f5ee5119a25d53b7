"""The argument that chooses an account."""

from mailgun_mcp.catalogue.account_argument import WITHOUT_ACCOUNT, WRAPPERS, with_account_argument
from mailgun_mcp.catalogue.builtin_tools import listed, offered
from mailgun_mcp.catalogue.catalogue import Catalogue

NAMES = ("production", "staging")


def test_no_tool_has_an_argument_of_its_own_called_so() -> None:
    catalogue = Catalogue.load()
    tools = [*listed(catalogue), *offered(catalogue, search_mode=True).values()]
    assert [tool["name"] for tool in tools if "account" in tool["inputSchema"]["properties"]] == []


def test_it_is_offered_wherever_an_account_is_called() -> None:
    tools = [*listed(Catalogue.load()), *offered(Catalogue.load(), search_mode=True).values()]
    without = {tool["name"] for tool in tools if with_account_argument(tool, NAMES) is tool}
    assert without == WITHOUT_ACCOUNT | WRAPPERS


def test_the_tool_of_the_catalogue_stays_as_it_is() -> None:
    tool = Catalogue.load().find("list_domains").tool
    shown = with_account_argument(tool, NAMES)
    assert shown["inputSchema"]["properties"]["account"] == {"type": "string", "enum": ["production", "staging"]}
    assert "account" not in tool["inputSchema"]["properties"]
