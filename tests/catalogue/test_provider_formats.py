"""Tools in the forms of model providers: each is accepted by the provider's own library, and read back by a call.

The libraries are not dependencies: what is not installed is skipped.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydantic import TypeAdapter

from mailgun_mcp.catalogue.builtin_tools import listed
from mailgun_mcp.catalogue.provider_formats import FORMATS, formatted
from mailgun_mcp.catalogue.types import FormatName
from mailgun_mcp.request.as_meant import as_meant
from tests.support.operations import catalogue, find

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def tools(name: FormatName) -> list[dict[str, Any]]:
    return [formatted(tool, name) for tool in listed(catalogue())]


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from schemas(inner)
    if "items" in schema:
        yield from schemas(schema["items"])


@pytest.mark.parametrize("name", FORMATS)
def test_no_tool_is_lost(name: FormatName) -> None:
    written = repr(tools(name))
    assert [tool["name"] for tool in listed(catalogue()) if f"'{tool['name']}'" not in written] == []


def test_strict_schemas_have_what_openai_asks_for() -> None:
    """Every object is closed and requires all of its properties; nothing has a keyword that is refused."""

    def breaks(schema: dict[str, Any]) -> bool:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if "object" not in kinds:
            return bool({"default", "minLength", "maxLength"} & schema.keys())
        closed = schema.get("additionalProperties") is False and schema["required"] == list(schema["properties"])
        return not closed

    functions = [tool["function"] for tool in tools("openai-strict")]
    assert all(function["strict"] for function in functions)
    broken = [function["name"] for function in functions if any(map(breaks, schemas(function["parameters"])))]
    assert broken == []


def test_an_optional_choice_may_be_null_in_strict_mode() -> None:
    tool = formatted(find("list_domains").tool, "openai-strict")["function"]
    state = tool["parameters"]["properties"]["state"]
    assert (state["type"], state["enum"][-1]) == (["string", "null"], None)


@pytest.mark.parametrize("name", ["openai-strict", "gemini"])
def test_an_open_object_is_given_as_text_and_read_as_an_object(name: FormatName) -> None:
    operation = find("send_message")
    tool = formatted(operation.tool, name)
    parameters = tool["parameters"] if name == "gemini" else tool["function"]["parameters"]
    headers = parameters["properties"]["headers"]
    assert "object" not in headers["type"]
    assert headers["description"].endswith("a JSON object, as text)")
    given = {"headers": '{"X-Order": "7"}', "template": None}
    assert as_meant(operation, given)["headers"] == {"X-Order": "7"}
    assert "template" not in as_meant(operation, given)


def test_openai_accepts_the_tools() -> None:
    chat = pytest.importorskip("openai.types.chat")
    adapter = TypeAdapter(list[chat.ChatCompletionFunctionToolParam])  # type: ignore[name-defined]
    names: tuple[FormatName, ...] = ("openai", "openai-strict")
    for name in names:
        assert len(adapter.validate_python(tools(name), strict=True)) == len(tools(name))


def test_openais_own_strict_conversion_changes_nothing() -> None:
    convert = pytest.importorskip("agents.strict_schema").ensure_strict_json_schema
    parameters = [tool["function"]["parameters"] for tool in tools("openai-strict")]
    assert [convert(deepcopy(schema)) for schema in parameters] == parameters


def test_anthropic_accepts_the_tools() -> None:
    types = pytest.importorskip("anthropic.types")
    adapter = TypeAdapter(list[types.ToolParam])  # type: ignore[name-defined]
    assert len(adapter.validate_python(tools("anthropic"))) == len(tools("anthropic"))


def test_gemini_accepts_the_tools() -> None:
    types = pytest.importorskip("google.genai.types")
    made = [types.FunctionDeclaration.model_validate(tool) for tool in tools("gemini")]
    assert all(one.parameters is None or one.parameters.type == types.Type.OBJECT for one in made)
    assert [one.name for one in made if one.parameters and not one.parameters.properties] == []


def test_langchain_accepts_the_schemas() -> None:
    convert = pytest.importorskip("langchain_core.utils.function_calling").convert_to_openai_tool
    converted = [convert(schema)["function"] for schema in tools("json-schema")]
    expected = [tool["function"] for tool in tools("openai")]
    assert [tool["name"] for tool in converted] == [tool["name"] for tool in expected]
    assert [tool["parameters"]["properties"] for tool in converted] == [
        tool["parameters"]["properties"] for tool in expected
    ]


def test_the_schemas_are_json_schema() -> None:
    from jsonschema import Draft202012Validator

    for schema in tools("json-schema"):
        Draft202012Validator.check_schema(schema)
