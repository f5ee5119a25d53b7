"""Fences the quotations in errors, undo reports and forms that third parties may have written.

Most of such a text is the server's. Only quotations can be somebody else's, and many are known to be harmless: what the
caller sent itself, names too short for an instruction, and Mailgun's own words.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.output.names import is_name
from mailgun_mcp.output.untrusted import fence
from mailgun_mcp.text.characters import clean
from mailgun_mcp.text.leaves import leaves

MOST_READ = 200_000
"""How much of the arguments is searched for a quoted text, in characters."""
MOST_NAMES = 2
"""Most addresses, hosts and ids in an error that the caller did not send. Many in a row can form an instruction."""
TOKEN = re.compile(r"[^\s\"`\u2018\u201c\u201d<>()\[\]{},;:!?=/]+")
NUMBER = re.compile(r"[0-9][0-9.%-]*[a-z]{0,3}")
EDGES = ".'*|&-\u2019\u2013\u2014\u2026"
SPELLED = re.compile(r"[a-z]+")
WORDS = """
    a a/aaaa about accepted account accounts action activated active additional address address's address/domain
    addresses admin alert allotted allowed allowlist already an and any api are array ascii at attachment attribute
    attributes authentication authorized automatic background bad balance bandwidth batch batches be because been
    before begin being belongs between big billing blank body boolean booleans both bounce bounces bucket busy but by
    bytes can can't cannot cert certificate certificates changes channel character characters child cidr client closed
    cname column comparator compliant configured conflict conflicts connection contain contains content contradicts
    could couldn't credentials credits csv current currently custom daily data date daterange dedicated denied
    deprecated description different digits dimension dimensions disabled disablement dkim dns do does doesn't domain
    domain's domains down duplicate duration dynamic each either email email's empty enabled encoding end endpoint
    enrolled eof equal error errors eu event exceed exceeded exceeds exist existing exists expected expecting expired
    expression external failed failure features field fields file filter filters for forbidden form format found free
    from gateway got greater group groups gzip has have header headers history host hostname hour hourly html id
    identifier ids in incompatible incorrect inside insufficient integer integers interface internal invalid ip ips is
    isn't it its itself job json kb key keys kib large larger least length less level limit limited limits linked list
    lists login long longer magnificent mail mailbox mailgun mailing main malformed mandatory many master matching max
    maximum mb member members message messages method metric mib mime min minimum minumum minute missing month monthly
    more multipart mx name names need needed needs negative neither new no none nor not nothing null number object
    occurred of on one only operation or other out overloaded override owner page pagination paging parameter
    parameters parent parentheses parsed parsing part parts password path payload pem period permission permissions
    permitted phrase pkcs1 plan pool pools port positive postmaster predicate predicates preference private processed
    processing provided public pure quota quotes rate ratelimit reached reading recipient recipients record records
    reference refused region regular rejected replacement request requested requests required resolution resource
    response rfc rfc-2822 rfc-3339 role root route route's routes sandbox second seconds secret selector server service
    session setting settings short should signature size small smaller smtp sort spam specified spf ssl standby state
    status storage string subaccount subaccounts subdomain subdomains subscription such supported syntax system table
    tag tags takes template templates temporarily text than that the there they this threshold throttled time timeout
    timestamp tls together token too total tracking turret two txt type types unable unauthorized unavailable
    unexpected unique unknown unprocessable unreachable unsubscribe unsubscribers unsupported unverified updates url
    urls us used user utc valid validation value values variables verified version versions warming warmup was webhook
    webhooks were when where which while window with within without wrong x509 yet zone
"""
OF_MAILGUN = frozenset(WORDS.split())
"""Words of Mailgun's errors, without verbs that could give instructions."""
SENTENCES = re.compile(
    r"\b(?:could not|cannot|can't|unable to|failed to) (?:activate|add|create|delete|disable|enable|find|fetch|get|parse|"
    r"perform|process|re-enable|remove|replace|save|update|verify)\b|\b(?:must|can|cannot|can't|should|could not|to) be "
    r"(?:added|assigned|blank|changed|before|deleted|disabled|enabled|parsed|removed|replaced|specified|updated|used)\b|"
    r"\b(?:can|can't|cannot) be (?:any of|larger|smaller|negative)\b|\bmust (?:be|contain|have)\b|\bdo(?:es)?(?: not|n't) (?:allow|match)\b|"
    r"\bnot allowed to send\b|\ball domains\b|\bcannot be assigned to multiple\b|\bdo not allow another\b|\bcan have at most\b|\(to: |\b(?:already |not )?(?:belongs?|linked|limited) to\b|\bis too \w{3,5}\b|"
    r"\b(?:export|access level|parameter|alert) (?:is )?(?:not found|invalid)\b|\balready in use\b|\bto view this resource\b|"
    r"\bto parameter is missing\b|\btry again (?:later|after)\b|\bplease (?:check documentation|try again|use urls as they are "
    r"given in events/webhooks|initiate x509 key pair generation at post)|\bused to send the message\b|\b(?:free accounts|"
    r"sandbox subdomains) are for test purposes only\. please (?:upgrade|add your own domain) or add the address to authorized "
    r"recipients in (?:account|domain) settings|\bunless also enabling dkim rotation\b|\bonly domains in enabled can rotate "
    r"their keys\b|\bwarming up\b|\bat (?:least|most) (?:one|[0-9]+)\b"
)
"""Phrases with such verbs that Mailgun's errors contain."""


def is_plain(text: str, plain_words: str) -> bool:
    """Return whether an error is in Mailgun's own words, and quotes only names and words in `plain_words`.

    `plain_words` is what `words_of` returns for a call.
    """
    names, others = 0, list[str]()
    for token in [*_tokens(SENTENCES.sub(" ", text.lower())), ""]:
        if token and token not in OF_MAILGUN and not NUMBER.fullmatch(token):
            others.append(token)
            continue
        if others and f" {' '.join(others)} " not in plain_words:
            if not all(_is_address(other) for other in others):
                return False
            names += len(others)
        others = []
    return names <= MOST_NAMES


def words_of(operation: Operation, arguments: Arguments) -> str:
    """Return the words that the caller sent, and the API's names for the arguments."""
    texts = [operation.path, *(f"{argument.name} {argument.wire}" for argument in operation.arguments)]
    left = MOST_READ
    for text in (str(leaf) for leaf in leaves(arguments, names=True) if leaf is not None):
        texts.append(text[:left])
        left -= len(text)
        if left <= 0:
            break
    return f" {' '.join(token for text in texts for token in [*_tokens(text.lower()), '·'])} "


def fence_quotes(value: Any, quotes: Iterable[str], boundary: str, who: str) -> Any:
    """Return a text, or a value with texts in it, with every quotation fenced."""
    ordered = sorted({quote for quote in quotes if quote}, key=len, reverse=True)
    if not ordered:
        return value
    pattern = re.compile("|".join(map(re.escape, ordered)))

    def fenced(item: Any) -> Any:
        if isinstance(item, str):
            return pattern.sub(lambda match: fence(clean(match[0]), boundary, who), item)
        if isinstance(item, list):
            return [fenced(one) for one in item]
        if isinstance(item, dict):
            return {key: fenced(one) for key, one in item.items()}
        return item

    return fenced(value)


def _tokens(text: str) -> Iterator[str]:
    for match in TOKEN.finditer(text):
        token = match[0].strip(EDGES)
        if token:
            yield token


def _is_address(token: str) -> bool:
    """Return whether a word is an address, a host name or an id, and not a word of some language."""
    return len(token) <= 64 and not SPELLED.fullmatch(token) and is_name(token)
