"""Templates are Handlebars with Mailgun's helpers; what cannot be read is a fault, never an exception of a library."""

import pytest

from mailgun_mcp.simulator.mail.templating import TemplateError, check_syntax, render, render_body, render_headers
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.templates import TemplateVersion
from mailgun_mcp.text import html_text

VALUES = {
    "name": "Ann & <b>Bob</b>",
    "paid": True,
    "total": 12.0,
    "items": [{"title": "Tea", "left": 3}, {"title": "Cup", "left": 0}],
    "address": {"city": "Graz"},
    "order-number": 7,
    "plan": "pro",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{name}}", "Ann &amp; &lt;b&gt;Bob&lt;/b&gt;"),
        ("{{{name}}}", "Ann & <b>Bob</b>"),
        ("{{order-number}} {{address.city}} {{nobody}}", "7 Graz "),
        ("{{#if paid}}paid{{else}}open{{/if}}", "paid"),
        ("{{#if nobody}}a{{else if paid}}b{{else}}c{{/if}}", "b"),
        ("{{#unless paid}}open{{else}}paid{{/unless}}", "paid"),
        ("{{#each items}}{{@index}}{{title}}{{#unless left}}!{{/unless}} {{/each}}", "0Tea 1Cup! "),
        ("{{#each nobody}}x{{else}}none{{/each}}", "none"),
        ("{{#with address}}{{city}} {{../plan}}{{/with}}", "Graz pro"),
        ('{{#equal plan "pro"}}yes{{else}}no{{/equal}}', "yes"),
        ('{{#equal plan "free"}}yes{{else}}no{{/equal}}', "no"),
        ("{{#equal order-number 7}}yes{{/equal}}", "yes"),
        ("{{#equal paid true}}yes{{/equal}}", "yes"),
        ("{{total}} {{paid}}", "12 true"),
        ("{{! nobody sees this }}seen", "seen"),
        ("p { color: red } }}", "p { color: red } }}"),
        ("{{log name}}quiet", "quiet"),
    ],
)
def test_handlebars_fill_in(source: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(source, VALUES) == expected
    assert capsys.readouterr().out == ""


def test_subjects_are_not_escaped() -> None:
    assert render("For {{name}}", VALUES, escape=False) == "For Ann & <b>Bob</b>"


def test_fields_of_go_templates_are_filled_in() -> None:
    assert render("{{.plan}} {{ .address.city }} {{.nobody}}", VALUES, engine="go") == "pro Graz "


@pytest.mark.parametrize(
    "source",
    ["{{#if a}}open", "{{/if}}", "{{name", "{{> partial}}", "{{shout name}}", "{{#equal a}}x{{/equal}}"],
)
def test_what_cannot_be_filled_in_is_a_fault(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source, VALUES)


def test_deep_nesting_is_a_fault() -> None:
    with pytest.raises(TemplateError):
        check_syntax("{{#if a}}" * 5000 + "{{/if}}" * 5000)


def test_headers_are_filled_in_and_faulty_ones_stay_as_they_are() -> None:
    headers = {"Subject": "Hello {{plan}}", "From": "a@x.example", "Reply-To": "{{#if"}
    version = TemplateVersion("1", "v1", "", 0.0, headers=headers)
    assert render_headers(version, VALUES) == {"Subject": "Hello pro", "From": "a@x.example", "Reply-To": "{{#if"}
    assert render_headers(None, VALUES) == {}


def message_with(template: str) -> StoredMessage:
    message = StoredMessage("key", "id", "x.example", 0.0, "a@x.example", [], {}, template="letter")
    render_body(message, TemplateVersion("1", "v1", template, 0.0), {"name": "Tea & cup"}, as_text=True)
    return message


def test_a_template_gives_a_message_its_html_and_on_request_its_text() -> None:
    message = message_with("<head><title>T</title></head><h1>Hello</h1><p>{{name}}</p><b>bye</b> now")
    assert message.html.endswith("<p>Tea &amp; cup</p><b>bye</b> now")
    assert message.text == "Hello\n\nTea & cup\n\nbye now"
    assert (message.template_version, message.fault) == ("v1", "")


def test_a_template_that_cannot_be_rendered_is_noted_in_the_message() -> None:
    message = message_with("{{#if name}}open")
    assert message.fault.startswith("Template 'letter' could not be rendered: ")


def test_the_text_of_a_template_comes_from_the_reader_whose_work_is_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def convert(html: str) -> str:
        lengths.append(len(html))
        return "converted"

    monkeypatch.setattr(html_text, "html_to_text", convert)
    assert message_with("<a " * 8_000).text == "converted"
    assert lengths == [24_000]
