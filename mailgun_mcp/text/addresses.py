"""Finds every mail address that any reader could find in a text. Pure.

Readers differ on malformed addresses, and Mailgun's own reader is unknown. So no single parser is trusted: every @
counts, and a text that two readers could take for different addresses has a fault.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from unicodedata import normalize

from mailgun_mcp.text.characters import excerpt, first_invisible
from mailgun_mcp.text.host_names import canonical_host, canonical_ip, canonical_label

MAX_ADDRESS = 320
_ATOM = r"[A-Za-z0-9_%+'-]{1,64}"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_TOP = r"[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
"""The last label. It must not begin with a digit, because it could then be part of some spelling of an IP address."""
_NO_A_LABEL = r"(?![^\s,;<>@]{0,250}[xX][nN]--)"
_SIMPLE = rf"({_ATOM}(?:\.{_ATOM}){{0,20}})@{_NO_A_LABEL}((?:{_LABEL}\.){{1,20}}{_TOP})"
SIMPLE = re.compile(rf"(?:[^@<>()\[\]\",;:\\\x00-\x1f\x7f-\uffff]{{0,200}}<)?{_SIMPLE}(>?)")
"""`bob@example.com`, `Bob <bob@example.com>`: forms that all readers understand the same way."""
NAMED = re.compile(r"[^<>@]{0,200}<\s{0,9}([^<>@\s]{1,200}@[^<>@\s]{1,255})\s{0,9}>")
"""`Name <address>`. The name must not contain an @: another reader could find a different address in it."""
LISTED = re.compile(
    rf"""[ \t,;]*(?:
        (?: "(?:[^"@\\\x00-\x1f\x7f\uff20\ufe6b]*|{_SIMPLE})"[ \t]* | [^@<>()\[\]",;:\\\x00-\x1f\x7f\uff20\ufe6b]{{0,200}} )
        <{_SIMPLE}>
        | {_SIMPLE}
    )[ \t]*(?=[,;]|\Z)""",
    re.VERBOSE,
)
"""The next address in a list that all readers understand the same way: with a quoted name, another name, or none."""
SPLITTABLE = re.compile(r"[^\"()\[\]\\;:\r\n]*")
AT_SIGNS = re.compile("[@\uff20\ufe6b]")
VARIABLE = re.compile(r"%[a-z_]+(?:\.[^%\s@]{0,100})?%|%recipient[._]|\{\{", re.IGNORECASE)
LOOKALIKE_AT = "\uff20\ufe6b"
QUOTED = re.compile(r'"(?:\\.|[^"\\])*+(?:(")|\\?\Z)', re.DOTALL)
"""A quoted text. If its end is missing, there is no group 1 and it extends to the end, so nothing is read twice."""
BALANCED = re.compile(
    r"(?:[^<>()\[\]]|<[^<>()\[\],;]*+>|<[^<>()\[\],;]*+\[[^<>()\[\],;]*+\]>|\([^<>()\[\]]*+\)|\[[^<>()\[\],;]*+\])*+"
)
LOCAL = re.compile(r"[^\s<>()\[\],;:\"\\@]+\Z")
DOMAIN = re.compile(r"[^\s<>()\[\],;:\"\\@'/!?*|{}`]+")
LITERAL = re.compile(r"\[[0-9A-Za-z.:]{2,60}\]")
BEFORE_LOCAL = "<,;:"
QUOTE = re.compile(r'\\.|"', re.DOTALL)
"""A quote, or an escaped character, which does not count as a quote."""
AFTER_DOMAIN = " \t\n>,;\"'"
ENCODED_WORD = re.compile(r"=\?[^?\s]{1,40}\?[bBqQ]\?[^?\s]*\?=")


@dataclass(slots=True)
class ParsedAddresses:
    """The addresses in a text, and the reasons why readers could disagree about them."""

    addresses: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "ParsedAddresses") -> None:
        """Add the addresses and faults of another text."""
        self.addresses += other.addresses
        self.faults += other.faults


def find_addresses(text: str) -> ParsedAddresses:
    """Return every address that any reader could find in `text`, or the text itself if it has no @."""
    parsed = ParsedAddresses()
    listed = _plain_list(text)
    if listed is not None:
        parsed.addresses = listed
        return parsed
    for piece in _pieces(text):
        simple = SIMPLE.fullmatch(piece)
        if simple and (simple[3] == ">") is ("<" in piece) and "=?" not in piece:
            parsed.addresses.append(f"{simple[1]}@{simple[2]}".lower())
        elif AT_SIGNS.search(piece) or "=?" in piece:
            _read(piece, parsed)
        elif piece:
            parsed.addresses.append(folded(piece))
    # In `Smith, John <john@example.com>` the first piece is half of a name.
    if any("@" in address for address in parsed.addresses):
        parsed.addresses = [address for address in parsed.addresses if "@" in address]
    return parsed


def fills_in(text: str) -> bool:
    """Return whether an address in `text` has a variable: `%recipient.name%@good.example` could become any address."""
    return ("%" in text or "{" in text) and bool(VARIABLE.search(text)) and bool(AT_SIGNS.search(text))


def _plain_list(text: str) -> list[str] | None:
    """Return the addresses of a text that needs no closer examination, or None."""
    if "@" not in text or "=?" in text:
        return None
    addresses: list[str] = []
    end = 0
    while match := LISTED.match(text, end):
        named, host_named, bracketed, host_bracketed, alone, host_alone = match.groups()
        address = f"{bracketed or alone}@{host_bracketed or host_alone}".lower()
        name = f"{named}@{host_named}".lower() if named else address
        # Many programs use the address itself as the name if somebody has none.
        addresses += [address] if name == address else [name, address]
        end = match.end()
    return None if text[end:].strip(" \t,;") else addresses


def bare_address(text: str) -> str:
    """Return the address in `Name <address>`, without spaces around it; any other text unchanged."""
    match = NAMED.fullmatch(text.strip()) if text.isprintable() else None
    return match[1] if match else text.strip(" ")


def canonical_glob(glob: str) -> str:
    """Return a glob for addresses or hosts in the form in which those are compared."""
    local, at, domain = glob.rpartition("@")
    ip = canonical_ip(domain[1:-1] if LITERAL.fullmatch(domain) else domain)
    return f"{unquoted(local)}{at}{ip or '.'.join(map(canonical_label, domain.split('.')))}"


def unquoted(local: str) -> str:
    """Return a local part in the form in which it is compared: `"eve"` is eve."""
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return (local if local.isascii() else normalize("NFKC", local)).lower()


def _pieces(text: str) -> Iterable[str]:
    """Return the parts between those commas that every reader takes for the end of an address."""
    text = text.strip(" \t")
    if "," in text and SPLITTABLE.fullmatch(text) and "=?" not in text:
        return [piece.strip(" \t") for piece in text.split(",")]
    return [text]


def _read(text: str, parsed: ParsedAddresses) -> None:
    for word in ENCODED_WORD.findall(text):
        decoded = _decoded(word)
        if decoded is None or "@" in decoded:
            parsed.faults.append("an encoded word may hide an address")
        if decoded and "@" in decoded:
            parsed.add(find_addresses(decoded))
    end = 0
    count = len(parsed.addresses)
    quotes = [match.start() for match in QUOTE.finditer(text) if match[0] == '"']
    for match in AT_SIGNS.finditer(text):
        if match[0] in LOOKALIKE_AT:
            parsed.faults.append(f"U+{ord(match[0]):04X} looks like an @")
        end = _read_at(text, match.start(), end, quotes, parsed)
    if len(parsed.addresses) == count:
        parsed.addresses.append(folded(text))
    if "@" in text and len(quotes) % 2:
        parsed.faults.append("a quote is not closed")
    if "@" in text and not BALANCED.fullmatch(QUOTED.sub(_unclosed, text)):
        parsed.faults.append("its brackets do not match")
    for quoted in QUOTED.finditer(text):
        if quoted[1] and "@" in quoted[0] and not SIMPLE.fullmatch(quoted[0][1:-1]):
            parsed.faults.append("a quoted text contains an address and more")


def routed_on(address: str) -> bool:
    """Return whether the domain of an address may pass its mail on to another: `eve%other@`, `other!eve@`."""
    local = address.rpartition("@")[0]
    _, percent, after = local.rpartition("%")
    before, mark, _ = local.partition("!")
    return (percent != "" and "." in after) or (mark != "" and "." in before)


def _unclosed(quoted: re.Match[str]) -> str:
    return "" if quoted[1] else quoted[0]


def _read_at(text: str, at: int, begin: int, quotes: list[int], parsed: ParsedAddresses) -> int:
    """Read the address around the @ at `at`. Returns where it ends."""
    local = _local_part(text, at, begin, quotes)
    literal = LITERAL.match(text, at + 1)
    domain = literal or DOMAIN.match(text, at + 1, at + 1 + MAX_ADDRESS)
    end = domain.end() if domain else at + 1
    host = canonical_ip(literal[0][1:-1]) if literal else canonical_host(domain[0]) if domain else None
    span = text[max(begin, at - len(local)) : end]
    if not local or len(local) > MAX_ADDRESS or not _starts(text, at - len(local), quotes):
        parsed.faults.append(f"the part before the @ of {_excerpt(span)} is not clear")
    if host is None or (end < len(text) and text[end] not in AFTER_DOMAIN):
        parsed.faults.append(f"the domain of {_excerpt(span)} is not clear")
    if _continues(text, end):
        parsed.faults.append(f"{_excerpt(span)} may go on after a space or comment")
    if invisible := first_invisible(span):
        parsed.faults.append(f"{_excerpt(span)} contains the invisible character {invisible}")
    parsed.addresses.append(f"{unquoted(local)}@{host if host is not None else folded(domain[0] if domain else '')}")
    return end


def _local_part(text: str, at: int, begin: int, quotes: list[int]) -> str:
    """Return the text before the @, as written; empty if that is ambiguous."""
    if at > begin and text[at - 1] == '"':
        closing = bisect_left(quotes, at - 1)
        # If the number of quotes is even, the last one opens nothing.
        opens = quotes[closing - 1] if closing < len(quotes) and quotes[closing] == at - 1 and closing % 2 else at
        return text[opens:at]
    match = LOCAL.search(text[max(begin, at - MAX_ADDRESS - 1) : at])
    return match[0] if match else ""


def _starts(text: str, start: int, quotes: list[int]) -> bool:
    """Return whether all readers can start an address here. In `Bob eve@evil.example`, some reader joins the words."""
    before = start - 1
    while before >= 0 and text[before] in " \t":
        before -= 1
    if before < 0 or text[before] in BEFORE_LOCAL:
        return True
    position = bisect_left(quotes, before)
    return position < len(quotes) and quotes[position] == before and position % 2 == 0


def _continues(text: str, end: int) -> bool:
    """Return whether a reader that skips spaces and comments could read on: `a@good.example .evil.example`."""
    rest = text[end : end + MAX_ADDRESS].lstrip(" \t\r\n'\"")
    return bool(rest) and rest[0] not in ",;<>"


def _decoded(word: str) -> str | None:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(word)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return None


def folded(text: str) -> str:
    """Return the text as it is compared. To a mail server, full-width letters and the like equal the plain ones."""
    return (text if text.isascii() else normalize("NFKC", text)).strip().lower().rstrip(".")


def _excerpt(text: str) -> str:
    return repr(excerpt(text, 80))


RECIPIENT_HEADERS = frozenset(
    {
        *("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", "apparently-to", "delivered-to"),
        *("envelope-to", "x-envelope-to", "x-original-to"),
    }
)
VARIABLES_HEADER = "x-mailgun-recipient-variables"
NOT_IN_NAMES = re.compile("[^!-~]+")
BREAKS = tuple(
    re.compile(breaks) for breaks in ("\r?\n", "\r\n|[\r\n]", "\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
)
"""What different readers take for the end of a line."""
BEFORE_HEADERS = "\ufeff \t\r\n\x0b\x0c"
END_OF_HEADERS = re.compile(r"\n\r*\n")


def recipients_in_header(name: str, value: str) -> ParsedAddresses:
    """Return the addresses that a mail header names as recipients."""
    lowered = name.strip().lower()
    if lowered in RECIPIENT_HEADERS:
        parsed = find_addresses(re.sub(r"\r?\n(?=[ \t])", "", value))
        if fills_in(value):
            parsed.faults.append("an address has a variable")
        return parsed
    if lowered == VARIABLES_HEADER:
        return _keys_of(value)
    return ParsedAddresses()


def _keys_of(value: str) -> ParsedAddresses:
    import json

    parsed = ParsedAddresses()
    try:
        variables = json.loads(value)
        keys = list(variables) if isinstance(variables, dict) else None
    except (ValueError, RecursionError):
        keys = None
    if keys is None:
        parsed.faults.append("recipient variables are not a JSON object")
    for key in keys or ():
        parsed.add(find_addresses(key))
    return parsed


def mime_headers(message: str) -> Iterator[tuple[str, str]]:
    """Yield the headers of a mail, unfolded, as every reader would find them. Some appear twice, in different forms.

    In doubt, the headers end late, and anything in front of them is skipped: too many headers are better than too few.
    """
    message = message.lstrip(BEFORE_HEADERS)
    head = (END_OF_HEADERS if "\n" in message else re.compile("\r\r")).split(message, maxsplit=1)[0]
    yield from dict.fromkeys(header for breaks in BREAKS for header in _headers(breaks.split(head)))


def _headers(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += line
        else:
            unfolded.append(line)
    for line in unfolded:
        name, colon, value = line.partition(":")
        if colon:
            yield NOT_IN_NAMES.sub("", name), value.strip()
