"""The compiled catalogue as a whole: complete, portable, within its budget, consistent about risk."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.builtin_tools import listed
from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.compile.compiler import DATA, SOURCES, compile_all
from mailgun_mcp.catalogue.openapi.documents import read_document
from mailgun_mcp.catalogue.operation import Operation
from tests.support.offenders import holds_for, offenders
from tests.support.operations import catalogue, find
from tests.support.portable import breaches

LISTED = list(
    csv.DictReader(
        (Path(__file__).parents[1] / "data" / "operations.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t"
    )
)
INDEX = [row for row in LISTED if row["section"] != "-"]
ALL = list(catalogue())
NAMES = [operation.name for operation in ALL]
DOCUMENTS = sorted(SOURCES.glob("*.yaml"))

BUDGET = 25_000
"""o200k tokens of name, description and input schema, which every client sends to its model."""

MESSAGE_FIELDS = {
    *("from", "to", "cc", "bcc", "subject", "text", "html", "amp-html", "attachment", "inline", "template"),
    *("t:version", "t:text", "t:variables"),
    *("o:tag", "o:dkim", "o:secondary-dkim", "o:secondary-dkim-public", "o:deliverytime", "o:deliver-within"),
    *("o:deliverytime-optimize-period", "o:time-zone-localize", "o:testmode", "o:tracking", "o:tracking-clicks"),
    *("o:tracking-opens", "o:require-tls", "o:skip-verification", "o:sending-ip", "o:sending-ip-pool"),
    *("o:tracking-pixel-location-top", "o:archive-to", "o:suppress-headers", "recipient-variables"),
    *("h:", "v:"),
}

PORTABLE_KEYS = {
    *("type", "description", "enum", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("pattern", "format", "properties", "required", "items", "additionalProperties"),
}
OUTPUT_KEYS = {"type", "properties", "items", "additionalProperties"}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema node in `schema`, itself included."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.get("properties", {}).values():
            yield from nodes(value)
        for key in ("items", "additionalProperties"):
            yield from nodes(schema.get(key))


def test_holds_every_listed_operation_and_no_other() -> None:
    compiled = {(operation.method, operation.path) for operation in ALL}
    assert compiled == {(row["method"], row["path"]) for row in LISTED}


def test_holds_each_section_of_the_api_index_whole() -> None:
    present = {(operation.method, operation.path) for operation in ALL}
    found = Counter(row["section"] for row in LISTED if (row["method"], row["path"]) in present)
    assert found == Counter(row["section"] for row in LISTED)
    assert len(INDEX) == 204
    assert found["-"] == 34


def test_names_titles_and_toolsets_are_the_listed_ones() -> None:
    keys = ("method", "path", "name", "title", "toolset")
    compiled = {
        (operation.method, operation.path, operation.name, operation.title, operation.toolset) for operation in ALL
    }
    assert compiled == {tuple(row[key] for key in keys) for row in LISTED}


def test_tools_of_a_toolset_stand_together_in_the_order_of_the_toolsets() -> None:
    toolsets = list(dict.fromkeys(operation.toolset for operation in ALL))
    assert toolsets == list(catalogue().toolsets)
    assert [operation.toolset for operation in ALL] == sorted(
        (operation.toolset for operation in ALL), key=toolsets.index
    )


def test_the_compiled_data_is_what_the_documents_say() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (DATA / "tools").glob("*.json")}
    assert written == compile_all()


@pytest.mark.slow
def test_documents_are_valid_openapi() -> None:
    import yaml
    from openapi_spec_validator import OpenAPIV31SpecValidator

    faults = [
        f"{path.name}: {error.message}"
        for path in DOCUMENTS
        for error in OpenAPIV31SpecValidator(
            yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        ).iter_errors()
    ]
    assert faults == []


def test_documents_name_mailguns_hosts_and_basic_authentication() -> None:
    def check(path: Path) -> None:
        document = read_document(path)
        assert [server["url"] for server in document["servers"]] == [
            "https://api.mailgun.net",
            "https://api.eu.mailgun.net",
        ]
        assert document["components"]["securitySchemes"] == {"basicAuth": {"type": "http", "scheme": "basic"}}
        assert document["security"] == [{"basicAuth": []}]

    assert offenders(DOCUMENTS, check) == []


@holds_for()
def test_tool_has_a_name_a_title_and_a_description(operation: Operation) -> None:
    tool = operation.tool
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,45}", tool["name"])
    assert tool["title"].strip() == tool["title"] != ""
    assert tool["description"].strip() == tool["description"] != ""
    assert set(tool) == {"name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta"}


@holds_for()
def test_descriptions_do_not_shout(operation: Operation) -> None:
    texts = [operation.tool["description"], *(node.get("description", "") for node in nodes(operation.input_schema))]
    assert not re.search(r"\b(IMPORTANT|MUST|CRITICAL|NEVER|ALWAYS|WARNING|NOTE)\b", " ".join(texts))


@holds_for()
def test_annotations_follow_from_the_risk(operation: Operation) -> None:
    assert operation.tool["annotations"] == {
        "readOnlyHint": operation.risk == "read",
        "destructiveHint": operation.risk in ("send", "destructive", "credential", "billing")
        or operation.reversible == "no"
        or bool(operation.raises)
        or replaces(operation),
        "idempotentHint": operation.idempotent,
        "openWorldHint": operation.risk == "send" or operation.shows_third_party_text,
    }


def replaces(operation: Operation) -> bool:
    """Whether the call removes or overwrites something. What adds to a pool or a webhook's URLs does not."""
    adds = operation.name.startswith(("add_", "create_"))
    return not adds and any(effect.kind != "makes" for effect in operation.affects)


@holds_for()
def test_meta_names_operation_toolset_risk_and_deprecation(operation: Operation) -> None:
    meta = {key: value for key, value in operation.tool["_meta"].items() if key.startswith("mailgun-mcp/")}
    assert isinstance(meta.pop("mailgun-mcp/deprecated"), bool)
    assert meta == {
        "mailgun-mcp/operation": f"{operation.method} {operation.path}",
        "mailgun-mcp/toolset": operation.toolset,
        "mailgun-mcp/risk": operation.risk,
    }


@holds_for()
def test_input_schema_is_portable(operation: Operation) -> None:
    schema = operation.input_schema
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert call_schema(operation)["additionalProperties"] is False
    assert set(schema.get("required", [])) <= set(schema.get("properties", {}))
    for node in nodes(schema):
        assert set(node) <= PORTABLE_KEYS
        assert node["type"] in ("object", "array", "string", "integer", "number", "boolean")
        assert node.get("format") in (None, "date-time")
        assert (node["type"] == "array") == ("items" in node)
        assert set(node.get("required", [])) <= set(node.get("properties", {}))
    assert breaches(schema) == []


@holds_for()
def test_arguments_are_the_properties_and_have_portable_names(operation: Operation) -> None:
    properties = operation.input_schema.get("properties", {})
    assert [argument.name for argument in operation.arguments] == list(properties)
    assert [name for name in properties if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name)] == []


@holds_for()
def test_enums_and_defaults_fit_their_own_schema(operation: Operation) -> None:
    for node in nodes(operation.input_schema):
        validator = Draft202012Validator({key: value for key, value in node.items() if key != "default"})
        assert all(
            validator.is_valid(value)
            for value in [*node.get("enum", []), *([node["default"]] if "default" in node else [])]
        )
        assert len(node.get("enum", [])) == len({json.dumps(value) for value in node.get("enum", [])})


@pytest.mark.slow
@holds_for()
def test_output_schema_refuses_nothing_that_a_live_api_may_add_or_leave_out(operation: Operation) -> None:
    schema = operation.output_schema
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert set(node) <= OUTPUT_KEYS
        assert node.get("additionalProperties") is not False
        assert node is schema or "type" not in node or node["type"][1:] == ["null"]


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")  # bpe_openai
def test_all_tools_that_a_server_lists_fit_the_budget() -> None:
    from benchmarks.tokens import tokens

    assert sum(tokens(tool) for tool in listed(catalogue())) <= BUDGET


@holds_for()
def test_every_argument_has_a_description(operation: Operation) -> None:
    properties = operation.input_schema["properties"]
    assert [name for name, schema in properties.items() if not schema.get("description")] == []


def test_every_risk_is_in_use() -> None:
    assert {operation.risk for operation in ALL} == {"read", "write", "send", "destructive", "credential", "billing"}


def test_a_message_has_every_documented_field_and_both_families() -> None:
    form = {argument.wire for argument in find("send_message").arguments if argument.location == "form"}
    assert form == MESSAGE_FIELDS
    assert len(form) == 36


def test_a_mime_message_has_every_option_of_a_message() -> None:
    form = {argument.wire for argument in find("send_mime_message").arguments if argument.location == "form"}
    parts = {"from", "cc", "bcc", "subject", "text", "html", "amp-html", "attachment", "inline"}
    assert form == MESSAGE_FIELDS - parts | {"message"}


@holds_for(operation for operation in ALL if operation.method == "DELETE")
def test_a_delete_is_destructive_or_about_credentials(operation: Operation) -> None:
    assert operation.risk in ("destructive", "credential")


def test_a_get_that_is_no_read_shows_a_key_or_costs_money() -> None:
    found = {
        operation.name: operation.risk for operation in ALL if operation.method == "GET" and operation.risk != "read"
    }
    assert found == {"get_webhook_signing_key": "credential", "validate_email_address": "billing"}


def test_a_read_by_another_method_is_one_of_the_queries() -> None:
    found = {operation.name for operation in ALL if operation.method != "GET" and operation.risk == "read"}
    assert found == {
        "query_metrics",
        "query_usage_metrics",
        "query_logs",
        "query_bounce_classification",
        "query_account_tags",
    }


@holds_for(operation for operation in ALL if operation.name.startswith(("clear_", "delete_all_", "bulk_delete_")))
def test_what_clears_everything_is_destructive_and_bulk(operation: Operation) -> None:
    assert operation.bulk
    assert operation.tool["annotations"]["destructiveHint"]
    assert operation.risk == "destructive" or operation.toolset == "smtp_credentials"


@holds_for(operation for operation in ALL if operation.risk == "read")
def test_a_read_is_repeatable_and_changes_nothing(operation: Operation) -> None:
    assert (operation.idempotent, operation.reversible, operation.preview) == (True, None, None)


def test_what_sends_or_costs_is_never_repeated() -> None:
    repeatable = {operation.name for operation in ALL if operation.risk in ("send", "billing") and operation.idempotent}
    assert repeatable == {"update_subaccount_features"}


@holds_for(operation for operation in ALL if operation.preview)
def test_a_preview_is_a_read_that_this_calls_arguments_can_fill(operation: Operation) -> None:
    assert operation.preview
    preview = find(operation.preview.tool)
    ours = operation.input_schema.get("properties", {})
    theirs = preview.input_schema.get("properties", {})
    assert preview.risk == "read"
    assert set(operation.preview.arguments) <= set(theirs)
    assert set(operation.preview.arguments.values()) <= set(ours)
    assert {operation.preview.arguments.get(name, name) for name in preview.input_schema.get("required", [])} <= set(
        ours
    )


@holds_for(operation for operation in ALL if operation.risk == "destructive")
def test_what_is_destroyed_can_be_previewed(operation: Operation) -> None:
    assert operation.preview


@holds_for(operation for operation in ALL if operation.secrets)
def test_what_answers_with_a_secret_is_a_credential_call(operation: Operation) -> None:
    assert operation.risk == "credential" or operation.name in ANSWERS_WITH_A_KEY


ANSWERS_WITH_A_KEY = {"list_domains", "create_domain", "get_domain", "verify_domain"}
"""Operations that are for something else, and whose answer can hold an SMTP password as well."""


@holds_for(operation for operation in ALL if operation.pages)
def test_a_page_names_where_its_items_are(operation: Operation) -> None:
    assert operation.pages
    schema = operation.output_schema
    for key in operation.pages.items.split("/"):
        schema = schema["properties"][key]
    assert schema["type"][0] in ("array", "object")
    assert operation.output_schema["properties"]["next"] == {"type": ["object", "null"]}


@holds_for(operation for operation in ALL if operation.secrets)
def test_places_in_a_response_exist_in_its_schema(operation: Operation) -> None:
    missing = [place for place in operation.secrets if not leads_somewhere(operation.output_schema, place)]
    assert missing == []


def leads_somewhere(schema: Any, place: str) -> bool:
    for key in [part for part in place.split("/") if part]:
        if not isinstance(schema, dict):
            return False
        schema = (
            schema.get("items") or schema.get("additionalProperties")
            if key == "*"
            else schema.get("properties", {}).get(key)
        )
    return isinstance(schema, dict)


@holds_for(operation for operation in ALL if operation.tool["_meta"]["mailgun-mcp/deprecated"])
def test_a_deprecated_tool_names_what_replaces_it(operation: Operation) -> None:
    description = operation.tool["description"]
    assert set(re.findall(r"[a-z]+(?:_[a-z]+)+", description)) & set(NAMES) or "without replacement" in description


def test_deprecated_tools_are_listed_last_and_marked_and_their_successors_are_not_deprecated() -> None:
    tools = listed(catalogue())
    deprecated = [bool(tool["_meta"].get("mailgun-mcp/deprecated")) for tool in tools]
    assert deprecated == sorted(deprecated)
    old = {tool["name"]: tool for tool in tools if bool(tool["_meta"].get("mailgun-mcp/deprecated"))}
    assert [name for name, tool in old.items() if "deprecated" not in tool["title"].lower()] == []
    preferred = {name: re.findall(r"Prefer ([a-z_]+)", tool["description"]) for name, tool in old.items()}
    assert [name for name, successors in preferred.items() if set(successors) & old.keys()] == []


def test_a_call_that_removes_or_replaces_something_says_that_it_is_destructive() -> None:
    silent = [
        operation.name
        for operation in ALL
        if not operation.tool["annotations"]["destructiveHint"]
        and (operation.risk not in ("read", "write") or operation.raises or replaces(operation))
    ]
    assert silent == []
    hints = {
        name: find(name).tool["annotations"]["destructiveHint"]
        for name in ("update_domain_webhook", "disable_subaccount", "update_template", "create_ip_pool")
    }
    assert hints == {
        "update_domain_webhook": True,
        "disable_subaccount": True,
        "update_template": True,
        "create_ip_pool": False,
    }


@holds_for(operation for operation in ALL if operation.method in ("DELETE", "PUT", "POST", "PATCH"))
def test_domains_in_the_path_of_a_change_are_checked_as_host_names(operation: Operation) -> None:
    unchecked = [
        argument.wire
        for argument in operation.arguments
        if argument.location == "path" and "domain" in argument.wire and argument.format != "hostname"
    ]
    assert unchecked == []
    assert not re.match(r"/v\d/\{", operation.path) or operation.arguments[0].format == "hostname"


def test_files_are_sent_in_multipart_bodies_only() -> None:
    with_files = [
        operation for operation in ALL if any(argument.encode in ("file", "files") for argument in operation.arguments)
    ]
    assert {operation.body for operation in with_files} == {"multipart"}
    assert {operation.name for operation in with_files} >= {
        *("send_message", "send_mime_message", "import_mailing_list_members", "create_domain_key"),
        *("import_bounces", "import_complaints", "import_unsubscribes", "import_allowlist"),
    }


def test_passwords_and_private_keys_are_marked_secret() -> None:
    secret = {
        (operation.name, argument.name) for operation in ALL for argument in operation.arguments if argument.secret
    }
    named = {
        (operation.name, argument.name)
        for operation in ALL
        for argument in operation.arguments
        if re.search(r"password|pem|private|secret", argument.name)
    }
    assert named
    assert named - secret == set()
