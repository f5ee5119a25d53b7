"""Templates and their versions: kept, paged, limited, and sent."""

import json

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.templates import Template, TemplateVersion
from mailgun_mcp.simulator.worlds.demo import SHOP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio

URL = f"/v3/{PLAIN}/templates"


async def stored(mailgun: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await mailgun.post(URL, data={"name": "welcome", "template": "Hello {{name}}", **fields})


async def versioned(mailgun: httpx.AsyncClient, tag: str, **fields: str) -> httpx.Response:
    return await mailgun.post(f"{URL}/welcome/versions", data={"tag": tag, "template": f"{tag} {{{{name}}}}", **fields})


async def active(mailgun: httpx.AsyncClient) -> str | None:
    template = (await mailgun.get(f"{URL}/welcome", params={"active": "yes"})).json()["template"]
    tag: str | None = template.get("version", {}).get("tag")
    return tag


async def test_the_list_leaves_out_the_content(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get(f"/v3/{SHOP}/templates")).json()
    assert [item["name"] for item in answer["items"]] == ["order-confirmation"]
    assert "version" not in answer["items"][0]
    assert (await mailgun.get(answer["paging"]["next"])).json()["items"] == []


async def test_following_next_shows_every_template_once(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.templates = {name: Template(name, name, 0.0) for name in "abcde"}
    page = (await mailgun.get(URL, params={"limit": 2})).json()
    seen = [item["name"] for item in page["items"]]
    while page["paging"]["next"] != page["paging"]["last"]:
        page = (await mailgun.get(page["paging"]["next"])).json()
        seen += [item["name"] for item in page["items"]]
    assert seen == list("abcde")


async def test_only_who_asks_gets_the_active_version(mailgun: httpx.AsyncClient) -> None:
    url = f"/v3/{SHOP}/templates/Order-Confirmation"
    assert "version" not in (await mailgun.get(url)).json()["template"]
    template = (await mailgun.get(url, params={"active": "yes"})).json()["template"]
    assert (template["name"], template["version"]["tag"], template["version"]["active"]) == (
        "order-confirmation",
        "initial",
        True,
    )


async def test_versions_are_listed_without_and_read_with_content(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    versions = {tag: TemplateVersion(tag, tag, f"Hello {tag}", 0.0) for tag in ("v1", "v2")}
    plain.templates["a"] = Template("1", "a", 0.0, versions=versions)
    listed = (await mailgun.get(f"{URL}/a/versions")).json()
    assert [(version["tag"], version["template"]) for version in listed["template"]["versions"]] == [
        ("v1", ""),
        ("v2", ""),
    ]
    read = (await mailgun.get(f"{URL}/a/versions/v2")).json()
    assert read["template"]["version"]["template"] == "Hello v2"


@pytest.mark.parametrize(
    ("path", "text"), [("nope", "template not found"), ("order-confirmation/versions/v9", "template version not found")]
)
async def test_what_is_not_there_is_not_found(mailgun: httpx.AsyncClient, path: str, text: str) -> None:
    answer = await mailgun.get(f"/v3/{SHOP}/templates/{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": text})


async def test_a_template_stored_with_content_has_an_active_version(mailgun: httpx.AsyncClient) -> None:
    headers = {"Subject": "Hi {{name}}"}
    answer = await stored(mailgun, name="Welcome", tag="v1", comment="first", headers=json.dumps(headers))
    template = answer.json()["template"]
    assert (answer.json()["message"], template["name"]) == ("template has been stored", "welcome")
    shown = {name: template["version"][name] for name in ("tag", "active", "comment", "engine", "headers")}
    assert shown == {"tag": "v1", "active": True, "comment": "first", "engine": "handlebars", "headers": headers}


async def test_a_template_stored_without_content_gets_its_active_version_later(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(URL, data={"name": "welcome"})
    assert "version" not in answer.json()["template"]
    assert await active(mailgun) is None
    await versioned(mailgun, "v1")
    assert await active(mailgun) == "v1"


async def test_one_version_is_active_at_a_time(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun)
    await versioned(mailgun, "v2")
    assert await active(mailgun) == "initial"
    await versioned(mailgun, "v3", active="yes")
    assert await active(mailgun) == "v3"
    await mailgun.put(f"{URL}/welcome/versions/v2", data={"active": "yes"})
    assert [tag for tag, version in plain.templates["welcome"].versions.items() if version.active] == ["v2"]


async def test_an_update_changes_only_what_it_names(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun, comment="first")
    answer = await mailgun.put(f"{URL}/welcome/versions/initial", data={"template": "Bye {{name}}"})
    assert answer.json() == {
        "message": "version has been updated",
        "template": {"name": "welcome", "version": {"tag": "initial"}},
    }
    version = plain.templates["welcome"].versions["initial"]
    assert (version.template, version.comment, version.active) == ("Bye {{name}}", "first", True)
    await mailgun.put(f"{URL}/welcome", data={"description": "Says hello"})
    assert plain.templates["welcome"].description == "Says hello"


async def test_a_copy_is_a_version_of_its_own(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun)
    answer = await mailgun.put(f"{URL}/welcome/versions/initial/copy/v2", params={"comment": "copied"})
    assert answer.json()["message"] == "version has been copied"
    await mailgun.put(f"{URL}/welcome/versions/initial", data={"template": "changed"})
    copy = plain.templates["welcome"].versions["v2"]
    assert (copy.template, copy.comment, copy.active) == ("Hello {{name}}", "copied", False)


async def test_a_copy_over_the_active_version_is_active(mailgun: httpx.AsyncClient) -> None:
    await stored(mailgun)
    await versioned(mailgun, "v2")
    await mailgun.put(f"{URL}/welcome/versions/v2/copy/initial")
    template = (await mailgun.get(f"{URL}/welcome", params={"active": "yes"})).json()["template"]
    assert (template["version"]["tag"], template["version"]["template"]) == ("initial", "v2 {{name}}")


async def test_deleted_templates_and_versions_are_gone(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun)
    await versioned(mailgun, "v2")
    answer = await mailgun.delete(f"{URL}/welcome/versions/v2")
    assert answer.json()["message"] == "version has been deleted"
    assert list(plain.templates["welcome"].versions) == ["initial"]
    answer = await mailgun.delete(f"{URL}/welcome")
    assert answer.json() == {"message": "template has been deleted", "template": {"name": "welcome"}}
    await stored(mailgun)
    answer = await mailgun.delete(URL)
    assert answer.json() == {"message": "templates have been deleted"}
    assert plain.templates == {}


async def test_names_are_taken_once(mailgun: httpx.AsyncClient) -> None:
    await stored(mailgun)
    answer = await stored(mailgun, name="WELCOME")
    assert (answer.status_code, answer.json()) == (409, {"message": "template welcome already exists"})
    answer = await versioned(mailgun, "initial")
    assert (answer.status_code, answer.json()) == (409, {"message": "version initial already exists"})


async def test_a_domain_has_at_most_a_hundred_templates(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.templates = {str(number): Template(str(number), str(number), 0.0) for number in range(99)}
    assert (await stored(mailgun)).status_code == 200
    assert (await stored(mailgun, name="another")).status_code == 400
    assert len(plain.templates) == 100


async def test_a_template_has_at_most_forty_versions(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun)
    template = plain.templates["welcome"]
    template.versions |= {str(number): TemplateVersion("1", str(number), "", 0.0) for number in range(38)}
    assert (await versioned(mailgun, "last")).status_code == 200
    assert (await versioned(mailgun, "too-many")).status_code == 400
    assert (await mailgun.put(f"{URL}/welcome/versions/last/copy/too-many")).status_code == 400
    assert (await mailgun.put(f"{URL}/welcome/versions/last/copy/initial")).status_code == 200


@pytest.mark.parametrize("content", ["{{#if a}}open", "x" * (100 * 1024 + 1)], ids=["syntax", "size"])
async def test_content_that_cannot_be_sent_is_refused_and_nothing_is_kept(
    mailgun: httpx.AsyncClient, plain: Domain, content: str
) -> None:
    assert (await stored(mailgun, template=content)).status_code == 400
    assert plain.templates == {}
    await stored(mailgun)
    assert (await mailgun.put(f"{URL}/welcome/versions/initial", data={"template": content})).status_code == 400
    assert plain.templates["welcome"].versions["initial"].template == "Hello {{name}}"


async def test_a_mail_is_made_from_its_template(mailgun: httpx.AsyncClient, account: Account, plain: Domain) -> None:
    headers = {"Subject": "For {{name}}", "From": "shop@plain.example.com", "Reply-To": "help@plain.example.com"}
    source = "<p>{{name}}</p>{{#each items}}<p>{{this}}</p>{{/each}}<i>%recipient.code%</i>"
    await stored(mailgun, template=source, headers=json.dumps(headers))
    answer = await mailgun.post(
        f"/v3/{PLAIN}/messages",
        data={
            "to": "ann@x.example",
            "template": "welcome",
            "t:text": "yes",
            "v:name": "overridden",
            "t:variables": json.dumps({"name": "Ann & Co", "items": ["tea", "cup"]}),
            "recipient-variables": json.dumps({"ann@x.example": {"code": "A1"}}),
        },
    )
    assert answer.status_code == 200
    (message,) = plain.messages.values()
    assert message.html == "<p>Ann &amp; Co</p><p>tea</p><p>cup</p><i>A1</i>"
    assert message.text == "Ann & Co\n\ntea\n\ncup\n\nA1"
    shown = {name: message.headers[name] for name in headers}
    assert shown == {
        "Subject": "For Ann & Co",
        "From": "shop@plain.example.com",
        "Reply-To": "help@plain.example.com",
    }


async def test_a_mail_whose_template_fails_is_accepted_and_fails(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun, template="{{shout name}}")
    answer = await mailgun.post(
        f"/v3/{PLAIN}/messages",
        data={"from": "a@x.example", "to": "b@x.example", "subject": "S", "template": "welcome"},
    )
    assert answer.status_code == 200
    events = [event.record for event in plain.events]
    assert [record["event"] for record in events] == ["accepted", "failed"]
    assert "could not be rendered" in events[1]["delivery-status"]["description"]


async def test_variables_can_come_in_headers(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await stored(mailgun, template="{{a}} {{b}} {{c}} {{d}}")
    mail = {"from": "a@x.example", "to": "b@x.example", "subject": "S", "template": "welcome"}
    given = {
        "h:X-Mailgun-Variables": '{"a": 1, "b": 1}',
        "v:b": "2",
        "h:X-Mailgun-Template-Variables": '{"c": 3, "d": 3}',
        "t:variables": '{"d": 4}',
    }
    await mailgun.post(f"/v3/{PLAIN}/messages", data={**mail, **given})
    (message,) = plain.messages.values()
    assert message.html == "1 2 3 4"
    assert next(iter(plain.events)).record["user-variables"] == {"a": 1, "b": "2"}


async def test_a_template_of_the_account_is_sent_by_every_domain_unless_it_has_one_of_that_name(
    mailgun: httpx.AsyncClient, account: Account
) -> None:
    shared = "/v4/templates"
    assert (await mailgun.post(shared, data={"name": "Shared", "template": "of the account"})).status_code == 200
    assert [item["name"] for item in (await mailgun.get(shared)).json()["items"]] == ["shared"]
    mail = {"from": f"a@{PLAIN}", "to": "b@x.example", "subject": "s", "template": "shared"}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    await mailgun.post(URL, data={"name": "shared", "template": "of the domain"})
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    texts = [message.html for message in account.domains[PLAIN].messages.values()]
    assert texts == ["of the account", "of the domain"]
    assert (await mailgun.put(f"{shared}/shared/versions/initial/copy/second")).status_code == 200
    assert sorted(account.templates["shared"].versions) == ["initial", "second"]
    assert (await mailgun.delete(shared)).status_code == 200
    assert account.templates == {}
    assert list(account.domains[PLAIN].templates) == ["shared"]
