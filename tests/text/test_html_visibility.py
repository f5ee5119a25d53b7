"""Which elements a person does not see."""

import pytest

from mailgun_mcp.text.html_visibility import PAGE, Visibility, visibility_of


@pytest.mark.parametrize(
    ("attributes", "hidden"),
    [
        ({}, False),
        ({"hidden": ""}, True),
        ({"style": "display: none"}, True),
        ({"style": "VISIBILITY:hidden !important"}, True),
        ({"style": "opacity: 0"}, True),
        ({"style": "font-size: 1px"}, True),
        ({"style": "font-size: 0.8em"}, False),
        ({"style": "color: #fff"}, True),
        ({"style": "color: rgb(250, 250, 250)"}, True),
        ({"color": "white", "bgcolor": "black"}, False),
        ({"style": "text-indent: -9999px"}, True),
        ({"style": "/* display: none */ color: black"}, False),
        ({"style": "color: white; background: url(x.png)"}, False),
    ],
)
def test_a_style_hides_what_it_hides(attributes: dict[str, str], hidden: bool) -> None:
    assert visibility_of(attributes, PAGE, unseen=False).hidden is hidden


def test_nothing_is_seen_inside_what_is_gone() -> None:
    assert visibility_of({"style": "display: block"}, Visibility(gone=True), unseen=False).hidden


def test_an_element_of_an_unseen_kind_is_gone() -> None:
    assert visibility_of({}, PAGE, unseen=True).gone
