"""Which elements of HTML mail are invisible: text that is hidden from people is not shown to models either."""

import re
from dataclasses import dataclass, replace

Colour = tuple[int, int, int]

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
LENGTH = re.compile(r"(-?[0-9]*\.?[0-9]+)\s*(?:px|pt|em|rem|ex|%|vw|vh|in|cm|mm)?")
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
RGB = re.compile(r"rgba?\(\s*([0-9]{1,3})[\s,]+([0-9]{1,3})[\s,]+([0-9]{1,3})\s*(?:[,/]\s*([0-9.]+)%?\s*)?\)")
NAMES: dict[str, Colour] = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
}
SEEN_THROUGH = ("transparent", "none", "inherit", "initial")
ALIKE = 10
"""Difference in each of red, green and blue that the eye does not notice."""
LONGEST_STYLE = 5_000
OFF_SCREEN = -500
SMALLEST_FONT = 1.0


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whether and how the text in an element is visible."""

    gone: bool = False
    """Whether nothing inside is visible."""
    tiny: bool = False
    colour: Colour | None = None
    background: Colour | None = None

    @property
    def hidden(self) -> bool:
        """Whether text is invisible; an element inside may still be visible."""
        return self.gone or self.tiny or _alike(self.colour, self.background)


PAGE = Visibility(background=NAMES["white"])


def visibility_of(attributes: dict[str, str], outer: Visibility, *, unseen: bool) -> Visibility:
    """Return the visibility of an element inside `outer`; `unseen` for kinds of elements that are never visible."""
    if outer.gone or not (unseen or attributes):
        return outer
    style = _declarations(attributes.get("style", ""))
    if unseen or "hidden" in attributes or _hides(style):
        return replace(outer, gone=True)
    return Visibility(
        tiny=_tiny(style.get("font-size", ""), outer),
        colour=_colour(style.get("color") or attributes.get("color", "")) or outer.colour,
        background=_background(attributes, style, outer),
    )


def _declarations(style: str) -> dict[str, str]:
    text = COMMENT.sub("", style[:LONGEST_STYLE].lower())
    pairs = (declaration.partition(":") for declaration in text.split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _hides(style: dict[str, str]) -> bool:
    if style.get("display") == "none" or style.get("visibility") in ("hidden", "collapse"):
        return True
    if style.get("mso-hide") == "all" or style.get("color") == "transparent":
        return True
    if _at_most(style, "opacity", 0.01) or _at_most(style, "max-height", 0):
        return True
    if style.get("overflow") == "hidden" and (_at_most(style, "height", 0) or _at_most(style, "width", 0)):
        return True
    return any(
        _at_most(style, name, OFF_SCREEN) for name in ("text-indent", "left", "top", "margin-left", "margin-top")
    )


def _tiny(size: str, outer: Visibility) -> bool:
    match = LENGTH.fullmatch(size)
    if match is None:
        return outer.tiny and not size
    # 0.8em is small print, but 1px is invisible.
    return float(match[1]) <= (SMALLEST_FONT if size.endswith(("px", "pt", "%")) else SMALLEST_FONT / 20)


def _at_most(style: dict[str, str], name: str, limit: float) -> bool:
    match = LENGTH.fullmatch(style.get(name, ""))
    return match is not None and float(match[1]) <= limit


def _background(attributes: dict[str, str], style: dict[str, str], outer: Visibility) -> Colour | None:
    declared = style.get("background-color") or attributes.get("bgcolor", "") or style.get("background", "")
    if declared in SEEN_THROUGH:
        declared = ""
    colour = _colour(declared) or next((named for word in declared.split() if (named := _colour(word))), None)
    if colour:
        return colour
    # An image or style sheet may have coloured it, so the colour is unknown.
    unknown = declared or "background-image" in style or attributes.keys() & {"class", "id", "background"}
    return None if unknown else outer.background


def _colour(text: str) -> Colour | None:
    text = text.strip().lower()
    if text in NAMES:
        return NAMES[text]
    if match := HEX.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := RGB.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    return None


def _alike(one: Colour | None, other: Colour | None) -> bool:
    return one is not None and other is not None and all(abs(a - b) <= ALIKE for a, b in zip(one, other, strict=True))
