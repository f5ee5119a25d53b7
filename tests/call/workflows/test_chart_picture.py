"""The picture of a chart. Its looks were judged by eye; here is what can be measured."""

import struct
from xml.etree import ElementTree

from mailgun_mcp.call.workflows.chart_picture import COLOURS, LONGEST_LABEL, TEXT_COLOUR, Chart, draw, shortened

BARS = Chart(
    "Bounces by tag",
    "messages",
    ["$x^2$", "<b>", "a" * 60, "日本"],
    {"hard": [1, 2, 3, 0], "soft": [0, 0, 1, 2]},
    False,
)
DAYS = Chart(
    "Opens by day", "events", [f"2026-11-{day:02}T00:00:00Z" for day in range(1, 31)], {"opened": range(30)}, True
)
WHITE, BLACK = 1.0, 0.0


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, background: float) -> float:
    darker, lighter = sorted((luminance(colour), background))
    return (lighter + 0.05) / (darker + 0.05)


def test_colours_can_be_told_from_white_and_from_black() -> None:
    assert min(contrast(colour, background) for colour in COLOURS for background in (WHITE, BLACK)) >= 3
    assert min(contrast(TEXT_COLOUR, WHITE), contrast(TEXT_COLOUR, BLACK)) >= 3.9


def test_a_png_is_transparent_and_of_the_size_that_was_judged() -> None:
    picture = draw(BARS, "png")
    assert picture.startswith(b"\x89PNG")
    width, height, _, colour_type = struct.unpack(">IIBB", picture[16:26])
    assert (width, height, colour_type) == (960, 630, 6)


def test_an_svg_is_well_formed_and_the_same_each_time() -> None:
    picture = draw(DAYS, "svg")
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert b"<script" not in picture
    assert draw(DAYS, "svg") == picture


def test_names_that_are_no_dates_and_long_ones_are_drawn_too() -> None:
    assert draw(Chart("By day", "messages", ["soon", "2026-11-01"], {"a": [0.5, 1]}, True), "png")
    assert len(shortened("a" * 60)) == LONGEST_LABEL + 1
    assert shortened("short") == "short"
