"""When recipients open, click and complain, and with which clients. The same mail always has the same readers."""

from math import log
from random import Random
from typing import Any

from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE

REPORTING_PROVIDERS = frozenset({"outlook.com", "hotmail.com", "yahoo.com", "icloud.com"})
"""Providers that report complaints to senders. Gmail does not."""

Client = tuple[str, str, str, str, str]
"""A mail client: type, system, name, device type and user agent."""

CLIENTS: tuple[Client, ...] = (
    (
        "browser",
        "Windows",
        "Chrome",
        "desktop",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0",
    ),
    ("browser", "macOS", "Safari", "desktop", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"),
    ("mobile browser", "iOS", "Mobile Safari", "mobile", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"),
    ("mobile browser", "Android", "Chrome Mobile", "mobile", "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36"),
    ("mobile browser", "iOS", "Mobile Safari", "tablet", "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X)"),
    (
        "email client",
        "Windows",
        "Outlook",
        "desktop",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; MSOffice 16)",
    ),
)
CLIENT_WEIGHTS = (22, 12, 34, 22, 4, 6)
"""Number of recipients in 100 who use each client."""

CITIES = (
    ("US", "CA", "San Francisco", "America/Los_Angeles"),
    ("US", "NY", "New York", "America/New_York"),
    ("US", "TX", "Austin", "America/Chicago"),
    ("GB", "England", "London", "Europe/London"),
    ("DE", "BE", "Berlin", "Europe/Berlin"),
    ("FR", "IDF", "Paris", "Europe/Paris"),
    ("IN", "KA", "Bengaluru", "Asia/Kolkata"),
    ("BR", "SP", "São Paulo", "America/Sao_Paulo"),
)
CITY_WEIGHTS = (14, 18, 10, 18, 14, 10, 10, 6)


PROXIES = {
    "gmail.com": (
        "gmail",
        "192.0.2",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    ),
    "icloud.com": ("apple", "192.0.2", "Mozilla/5.0"),
}
"""Provider -> the bot that loads the images of a mail, its network, and its user agent."""
APPLE_PRIVACY = 0.7
"""The share of iCloud's recipients whose images are loaded by Apple."""


def reader_of(address: str) -> dict[str, Any]:
    """Return the event fields of a recipient's opens and clicks: always the same IP, client and city."""
    random = Random(f"reader {address.lower()}")  # noqa: S311 - the reader must be reproducible
    kind, system, name, device, agent = random.choices(CLIENTS, CLIENT_WEIGHTS)[0]
    country, region, city, timezone = random.choices(CITIES, CITY_WEIGHTS)[0]
    network = random.choice(("203.0.113", "198.51.100"))
    return {
        "ip": f"{network}.{random.randrange(30, 250)}",
        "client_info": {
            "client-type": kind,
            "client-os": system,
            "client-name": name,
            "device-type": device,
            "user-agent": agent,
            "bot": "",
        },
        "geolocation": {"country": country, "region": region, "city": city, "timezone": timezone},
    }


def opener_of(address: str) -> dict[str, Any]:
    """Return the event fields of a recipient's opens.

    Gmail, and Apple for most recipients, load the images themselves and so hide the reader.
    """
    host, reader = address.rpartition("@")[2].lower(), reader_of(address)
    hides = Random(f"privacy {address.lower()}").random() < APPLE_PRIVACY  # noqa: S311
    proxy = PROXIES.get(host) if host != "icloud.com" or hides else None
    if proxy is None:
        return reader
    bot, network, agent = proxy
    client = {**reader["client_info"], "bot": bot, "user-agent": agent}
    return {**reader, "ip": f"{network}.{reader['ip'].rpartition('.')[2]}", "client_info": client}


def open_delay(random: Random) -> float:
    """Return the seconds from delivery to the first open: half are within 40 minutes, some after more than a day."""
    return _delay(random, 40 * MINUTE, 1.4, 15.0, 3 * DAY)


def click_delay(random: Random) -> float:
    """Return the seconds from the open to the click: mostly under two minutes."""
    return _delay(random, 35.0, 0.9, 2.0, HOUR)


def complaint_delay(random: Random) -> float:
    """Return the seconds from delivery to the complaint: half are within two hours."""
    return _delay(random, 2 * HOUR, 1.0, 5 * MINUTE, 2 * DAY)


def _delay(random: Random, median: float, spread: float, least: float, most: float) -> float:
    return min(max(random.lognormvariate(log(median), spread), least), most)
