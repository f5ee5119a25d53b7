"""HTML mail as text: what a person would see of it, with links and lists readable.

It has its own scanner: the standard library's parser takes a minute for 60 KB of `<a <a <a`, and the author of the mail
controls the input. Every step here moves forward, whatever the input.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

from mailgun_mcp.text.characters import excerpt
from mailgun_mcp.text.html_visibility import PAGE, Visibility, visibility_of

LONGEST_HTML = 500_000
LONGEST_TEXT = 100_000
LONGEST_LINK = 300
CUT = "\n… [cut: the HTML has {:,} characters]"

NAME = re.compile(r"[A-Za-z][^\s/>]*+")
ATTRIBUTE = re.compile(
    r"[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|(?![\"'])([^\s>]*+)))?+", re.ASCII
)
TAG_END = re.compile(r"[\s/]*+>")
SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
LONG_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,})")
"""A character reference beyond Unicode. Python refuses to parse the longest ones."""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


VOID = _names("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
RAW = _names("script style title textarea xmp iframe noembed noframes")
"""Elements whose content is not markup. None of it is part of the text of a mail."""
UNSEEN = _names("head template object svg math audio video canvas select datalist map")
OF_HEAD = _names("head meta link base basefont noscript template") | RAW
BLOCKS = _names(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
ENDED_BY: dict[str, frozenset[str]] = {
    "li": frozenset({"li"}),
    "option": frozenset({"option"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th", "tr"}),
    "th": frozenset({"td", "th", "tr"}),
    "tr": frozenset({"tr"}),
    "p": BLOCKS,
}
"""Innermost open element -> the elements whose start closes it."""

PARAGRAPH, EDGE, CELL = "\x1d", "\x1e", "\x1f"
"""Mark the border of a paragraph, of a block, and of a further cell in a row. They occur in no text."""
MARKS = re.compile(f"[{PARAGRAPH}{EDGE}{CELL}]")
BREAKS = re.compile(f" ?[\n{PARAGRAPH}{EDGE}][ \n{PARAGRAPH}{EDGE}]*")
AROUND_CELL = re.compile(f"[ \n]{{0,3}}{CELL}[ \n]{{0,3}}")
FIXED = "\xa0"
"""Stands for a space that is preserved; all other white space is collapsed."""


def html_to_text(html: str) -> str:
    """Return what a person would see of the HTML. Never raises; at most LONGEST_TEXT characters and a note."""
    writer = _Writer()
    try:
        for text, tag in _tokens(html[:LONGEST_HTML]):
            if text:
                writer.write(text)
            if tag:
                writer.take(tag)
    except _Full:
        pass
    text = _lines("".join(writer.parts))
    if len(html) > LONGEST_HTML or writer.written > LONGEST_TEXT or len(text) > LONGEST_TEXT:
        return text[:LONGEST_TEXT] + CUT.format(len(html))
    return text


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    ends: bool
    attributes: dict[str, str]


def _tokens(html: str) -> Iterator[tuple[str, _Tag | None]]:
    """Yield each text with the tag that follows it. A tag that is never closed extends to the end, as in a browser."""
    begin, text_from = 0, 0
    while (begin := html.find("<", begin)) >= 0:
        tag, end = _markup(html, begin)
        if end == begin:
            begin += 1
            continue
        yield html[text_from:begin], tag
        begin = text_from = _past_raw(html, tag, end)
    yield html[text_from:], None


def _markup(html: str, begin: int) -> tuple[_Tag | None, int]:
    """Return the tag at `begin` and where it ends. A `<` that is only text ends where it begins."""
    if html.startswith("<!--", begin):
        # `<!-->` is a complete comment.
        return None, _after(html, "-->", begin + 2)
    following = html[begin + 1 : begin + 2]
    if following in ("!", "?"):
        return None, _after(html, ">", begin)
    ends = following == "/"
    name = NAME.match(html, begin + 1 + ends)
    if name is None:
        return None, _after(html, ">", begin) if ends else begin
    attributes, end = _attributes(html, name.end())
    return _Tag(name[0].lower(), ends, attributes), end


def _attributes(html: str, position: int) -> tuple[dict[str, str], int]:
    attributes: dict[str, str] = {}
    while not (end := TAG_END.match(html, position)):
        match = ATTRIBUTE.match(html, position)
        if match is None:
            return attributes, len(html)
        value = next((group for group in match.groups()[1:] if group is not None), "")
        attributes.setdefault(match[1].lower(), _unescape(value))
        position = match.end()
    return attributes, end.end()


def _past_raw(html: str, tag: _Tag | None, end: int) -> int:
    if tag is None or tag.ends or tag.name not in RAW:
        return end
    closing = re.compile(rf"</{tag.name}(?=[\s/>])", re.IGNORECASE).search(html, end)
    return _after(html, ">", closing.start()) if closing else len(html)


def _after(html: str, mark: str, begin: int) -> int:
    index = html.find(mark, begin)
    return len(html) if index < 0 else index + len(mark)


def _unescape(text: str) -> str:
    return unescape(LONG_NUMBER.sub("&#65533", text)) if "&" in text else text


class _Full(Exception):
    """The text is long enough."""


@dataclass(slots=True)
class _Element:
    name: str
    visibility: Visibility
    link: str = ""
    begins: int = 0
    """Index of the first part of the text that belongs to the element."""
    items: int | None = None
    """For an ordered list: the number of items so far."""
    cells: bool = False
    """For a row: whether it has a cell."""


class _Writer:
    """The text so far, and the elements that are open around it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.written = 0
        self._open = [_Element("", PAGE)]
        self._names: Counter[str] = Counter()

    def write(self, raw: str) -> None:
        """Add text in the form in which the HTML has it."""
        if self._open[-1].visibility.hidden:
            return
        text = MARKS.sub("", _unescape(raw))
        if self._names["pre"]:
            self._add(text.replace("\t", "    ").replace(" ", FIXED))
        else:
            self._add(SPACE.sub(" ", text))

    def take(self, tag: _Tag) -> None:
        """Open or close an element."""
        if tag.name == "br":
            self._mark("\n")
        elif tag.ends:
            self._end(tag.name)
        else:
            self._start(tag)

    def _start(self, tag: _Tag) -> None:
        self._end_implied(tag.name)
        visibility = visibility_of(tag.attributes, self._open[-1].visibility, unseen=tag.name in UNSEEN)
        if tag.name in VOID or tag.name in RAW:
            if not visibility.gone:
                self._void(tag)
            return
        element = _Element(tag.name, visibility, begins=len(self.parts), items=0 if tag.name == "ol" else None)
        if tag.name == "a":
            element.link = _link(tag.attributes.get("href", ""))
        if not visibility.gone:
            self._before(tag.name)
        self._open.append(element)
        self._names[tag.name] += 1

    def _end_implied(self, name: str) -> None:
        if name == "a":
            self._end("a")
        if self._names["head"] and name not in OF_HEAD:
            self._end("head")
        while name in ENDED_BY.get(self._open[-1].name, ()):
            self._end(self._open[-1].name)

    def _void(self, tag: _Tag) -> None:
        if tag.name == "hr":
            self._mark("\n---\n")
        alternative = " ".join(MARKS.sub("", tag.attributes.get("alt", "")).split())
        if tag.name == "img" and alternative:
            self._add(f"[image: {alternative}]")

    def _before(self, name: str) -> None:
        if name in ("td", "th"):
            row = self._innermost("tr")
            self._mark(CELL if row and row.cells else "")
            if row:
                row.cells = True
        if name in BLOCKS:
            self._mark(self._edge(name))
        if name == "li":
            self._mark(self._bullet())

    def _bullet(self) -> str:
        depth = self._names["ul"] + self._names["ol"]
        inner = next(
            (element for element in reversed(self._open[-DEEPEST_SEARCH:]) if element.name in ("ul", "ol")), None
        )
        indent = FIXED * 2 * min(max(depth - 1, 0), 8)
        if inner is None or inner.items is None:
            return f"{indent}- "
        inner.items += 1
        return f"{indent}{inner.items}. "

    def _innermost(self, name: str) -> _Element | None:
        """Return the innermost open element with that name, without leaving the innermost table."""
        for element in reversed(self._open[-DEEPEST_SEARCH:]):
            if element.name == name:
                return element
            if element.name == "table":
                return None
        return None

    def _end(self, name: str) -> None:
        if not self._names[name]:
            return
        while self._close(self._open.pop()) != name:
            pass

    def _close(self, element: _Element) -> str:
        self._names[element.name] -= 1
        if not element.visibility.gone:
            if element.link:
                self._add(_linked("".join(self.parts[element.begins :]), element.link))
            if element.name in BLOCKS:
                self._mark(self._edge(element.name))
        return element.name

    def _edge(self, name: str) -> str:
        return PARAGRAPH if name in SPACED and not self._names["li"] else EDGE

    def _mark(self, mark: str) -> None:
        if mark and not self._open[-1].visibility.gone:
            self._add(mark)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self.written += len(text)
        if self.written > 2 * LONGEST_TEXT:
            raise _Full


SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre"})
DEEPEST_SEARCH = 50


def _link(href: str) -> str:
    """Return the target of a link; empty for anything but the web and mail (`javascript:`, `data:`)."""
    target = re.sub(r"[\s<>\x00-\x1f]", "", href[: 10 * LONGEST_LINK])
    try:
        is_known_scheme = urlsplit(target).scheme.lower() in ("http", "https", "mailto", "tel")
    except ValueError:
        return ""
    if not is_known_scheme:
        return ""
    return excerpt(target, LONGEST_LINK)


def _linked(text: str, link: str) -> str:
    return "" if text.strip() in (link, link.removeprefix("mailto:")) else f" <{link}>"


def _lines(text: str) -> str:
    """Turn marks into line breaks, collapse spaces, and put bullets before their text."""
    broken = BREAKS.sub(_break, re.sub(" {2,}", " ", text))
    lines: list[str] = []
    bullet = ""
    for raw in AROUND_CELL.sub(CELL, broken).split("\n"):
        line = " | ".join(cell for part in raw.split(CELL) if (cell := part.strip(" ")))
        if BULLET.fullmatch(line):
            bullet = line
        elif line:
            lines.append(f"{bullet} {line}" if bullet else line)
            bullet = ""
        elif lines and lines[-1] and not bullet:
            lines.append("")
    return "\n".join(lines).replace(FIXED, " ").rstrip()


def _break(match: re.Match[str]) -> str:
    breaks = match[0]
    return "\n\n" if PARAGRAPH in breaks or breaks.count("\n") > 1 else "\n"


BULLET = re.compile(rf"{FIXED}*(?:-|[0-9]+\.)")
