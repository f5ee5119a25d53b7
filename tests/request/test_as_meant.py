"""Arguments as the caller meant them: types put right, ids without brackets and fences, defaults filled in."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.request.as_meant import as_meant
from mailgun_mcp.request.validate import validate
from tests.support.operations import catalogue, find

DOMAIN = {"domain": "mg.example.com"}
ID = "20261123090000.1@mg.example.com"
FENCED = f"⟦0123abcd mail from a@x.example⟧ {ID} ⟦0123abcd⟧"


@pytest.mark.parametrize("written", [ID, f"<{ID}>", f" <{ID}> ", FENCED, FENCED.replace(ID, f"<{ID}>")])
def test_a_message_id_is_read_however_it_was_copied(written: str) -> None:
    assert as_meant(find("list_events"), {**DOMAIN, "message_id": written})["message_id"] == ID
    condition = {"attribute": "message_id", "comparator": "=", "values": [{"value": written}]}
    meant = as_meant(find("query_logs"), {"filter": {"AND": [condition]}})
    assert meant["filter"]["AND"][0]["values"] == [{"value": ID}]


@pytest.mark.parametrize("form", ["<{}>", "`{}`", '"{}"', "'{}'", "[{}]", "({})", "“{}”", "⟦{}⟧", ' "<{}>" ', "[`{}`]"])
def test_ids_are_read_without_what_is_around_them_in_every_tool(form: str) -> None:
    wrong = []
    for operation in catalogue():
        for argument in operation.arguments:
            is_text = call_schema(operation)["properties"][argument.name]["type"] == "string"
            if argument.location == "path" and is_text and argument.format in (None, "hostname"):
                written = {argument.name: form.format("a-1.example.com")}
                if as_meant(operation, written)[argument.name] != "a-1.example.com":
                    wrong.append((operation.name, argument.name))
    assert wrong == []


@pytest.mark.parametrize("text", ["<a> b", "<a><b>", "a>", '"a" "b"', "<a b>", "<>", "<", "", "``a``", "<" * 500])
def test_what_is_not_wholly_one_id_in_a_wrapper_stays(text: str) -> None:
    assert as_meant(find("get_route"), {"id": text})["id"] == text


def test_a_domain_is_read_without_the_dot_of_the_dns_at_its_end() -> None:
    for operation in catalogue():
        for argument in operation.arguments:
            if argument.format == "hostname":
                meant = as_meant(operation, {argument.name: "`mg.example.com.`"})
                assert meant[argument.name] == "mg.example.com", (operation.name, argument.name)
    assert as_meant(find("get_domain"), {"domain": "mg.example.com.."})["domain"] == "mg.example.com.."
    assert validate(find("get_domain"), {"domain": "mg.example.com.."})


def test_an_address_in_a_fence_is_the_address() -> None:
    fenced = "⟦0123abcd recipient⟧ o.f.many.parts.and.more@x.example ⟦0123abcd⟧"
    meant = as_meant(find("get_bounce"), {**DOMAIN, "address": fenced})
    assert meant["address"] == "o.f.many.parts.and.more@x.example"


@pytest.mark.parametrize(
    "written", ["ann@x.example", "Ann <ann@x.example>", '"B, Ann" < ann@x.example >', "<ann@x.example>"]
)
def test_an_address_in_a_path_is_read_without_the_name_before_it(written: str) -> None:
    assert as_meant(find("get_bounce"), {**DOMAIN, "address": written})["address"] == "ann@x.example"


def test_addresses_of_lists_and_members_are_read_in_lower_case() -> None:
    written = {"list_address": "Team <Team@Mg.Example.com>", "member_address": "Ann <ANN@x.example>"}
    meant = as_meant(find("delete_mailing_list_member"), written)
    assert meant == {"list_address": "team@mg.example.com", "member_address": "ann@x.example"}


@pytest.mark.parametrize(
    "doubtful",
    [
        '"eve@evil.example" <ann@x.example>',
        "eve@evil.example <ann@x.example>",
        "Ann <ann@x.example>, eve@evil.example",
        "Ann <ann@x.example> <eve@evil.example>",
        "Ann <ann@evil.example@x.example>",
        "Ann\r\n<ann@x.example>",
        "Ann\u202e <ann@x.example>",
        "A" * 1_000 + " <ann@x.example>",
        "<" * 10_000,
    ],
)
def test_an_address_with_a_second_one_beside_it_is_refused(doubtful: str) -> None:
    operation = find("delete_bounce")
    assert validate(operation, as_meant(operation, {**DOMAIN, "address": doubtful})) != []


@pytest.mark.parametrize(
    "text",
    [
        "⟦0123abcd who⟧ one ⟦0123abce⟧",
        "before ⟦0123abcd who⟧ one ⟦0123abcd⟧",
        "⟦0123abcd who⟧ one\r\ntwo ⟦0123abcd⟧",
    ],
)
def test_what_is_not_wholly_one_fence_stays(text: str) -> None:
    assert as_meant(find("get_bounce"), {**DOMAIN, "address": text})["address"] == text


def test_the_text_of_a_mail_stays_as_it_is() -> None:
    call: dict[str, Any] = {**DOMAIN, "to": ["a@b.example"], "text": FENCED, "subject": FENCED}
    assert as_meant(find("send_message"), call) == call


def test_brackets_that_are_not_of_a_message_id_stay() -> None:
    assert as_meant(find("list_events"), {**DOMAIN, "subject": "<b>"})["subject"] == "<b>"


def test_types_are_put_right_and_defaults_filled_in() -> None:
    assert as_meant(find("query_logs"), {"include_totals": "true"}) == {
        "include_totals": True,
        "pagination": {"limit": 20},
    }
