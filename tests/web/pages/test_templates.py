"""Templates escape every value, and show what a reader would not see."""

from pathlib import Path

import jinja2
import pytest

from mailgun_mcp.web.pages.templates import environment, left, listed, render, when
from tests.support.state import NOW


def test_every_value_is_escaped_and_its_invisible_characters_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p title="{{ x }}">{{ x }}{{ n }}{{ none or "" }}</p>\n', encoding="utf-8")
    text = "<b>\"'&\u202e&#8238;\ud800"
    html = render((tmp_path,), "a.html", x=text, n=3, none=None)
    assert "<b>" not in html
    assert html.count("&lt;b&gt;&#34;&#39;&amp;&lt;U+202E&gt;&lt;U+202E&gt;&lt;U+D800&gt;") == 2
    assert html.endswith("3</p>")


def test_a_value_that_is_missing_is_a_mistake_and_not_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text("{{ missing }}", encoding="utf-8")
    with pytest.raises(jinja2.UndefinedError):
        render((tmp_path,), "b.html")


def test_no_template_turns_escaping_off() -> None:
    web = Path(__file__).resolve().parents[3] / "mailgun_mcp" / "web"
    templates = list(web.rglob("*.html"))
    assert len(templates) > 5
    offenders = [
        path.name
        for path in templates
        for word in ("safe", "autoescape", "style=", "<style", "onclick", "javascript:")
        if word in path.read_text(encoding="utf-8").replace("unsafe", "")
    ]
    assert offenders == []
    assert environment().autoescape is True


def test_times_and_names_are_written_as_people_write_them() -> None:
    assert when(NOW) == "15 Jan 2027, 08:00 UTC"
    spans = {0: "less than a minute", 59: "less than a minute", 60: "1 minute", 3599: "59 minutes", 7200: "2 hours"}
    assert {seconds: left(seconds) for seconds in spans} == spans
    assert left(90_000) == "25 hours"
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
