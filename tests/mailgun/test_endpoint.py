"""Where the API is: regions, host names, base URLs."""

import pytest

from mailgun_mcp.mailgun.endpoint import Endpoint, EndpointError, resolve

US = Endpoint("https://api.mailgun.net", "us")
EU = Endpoint("https://api.eu.mailgun.net", "eu")

USABLE: dict[str, tuple[dict[str, str | None], Endpoint]] = {
    "nothing": ({}, US),
    "us": ({"region": "us"}, US),
    "eu": ({"region": "eu"}, EU),
    "upper case": ({"region": "EU"}, EU),
    "empty region": ({"region": ""}, US),
    "host name": ({"hostname": "mail-proxy.example.com"}, Endpoint("https://mail-proxy.example.com", None)),
    "host name of a region": ({"hostname": "API.eu.mailgun.net"}, EU),
    "url": ({"url": "https://proxy.example.com/mailgun/"}, Endpoint("https://proxy.example.com/mailgun", None)),
    "url with a port": ({"url": "https://10.0.0.7:8443"}, Endpoint("https://10.0.0.7:8443", None)),
    "url of a region": ({"url": "https://API.mailgun.net/"}, US),
    "http to 127.0.0.1": ({"url": "http://127.0.0.1:8025"}, Endpoint("http://127.0.0.1:8025", None)),
    "http to localhost": ({"url": "http://LOCALHOST:8025"}, Endpoint("http://localhost:8025", None)),
    "http to ::1": ({"url": "http://[::1]:8025"}, Endpoint("http://[::1]:8025", None)),
}


@pytest.mark.parametrize(("given", "endpoint"), USABLE.values(), ids=USABLE.keys())
def test_settings_name_an_endpoint(given: dict[str, str | None], endpoint: Endpoint) -> None:
    assert resolve(**given) == endpoint


REFUSED = {
    "unknown region": ({"region": "euu"}, "unknown region 'euu': did you mean 'eu'?"),
    "two at once": (
        {"region": "us", "url": "https://x.example"},
        "give one of region, hostname and url, not region and url",
    ),
    "hostname with a scheme": (
        {"hostname": "https://x.example"},
        "'https://x.example' is not a host name; for a whole base URL set MAILGUN_API_URL",
    ),
    "hostname without a dot": (
        {"hostname": "mailgun"},
        "'mailgun' is not a host name; for a whole base URL set MAILGUN_API_URL",
    ),
    "hostname with a space": (
        {"hostname": "api.mailgun.net "},
        "'api.mailgun.net ' is not a host name; for a whole base URL set MAILGUN_API_URL",
    ),
    "plain http": (
        {"url": "http://api.mailgun.net"},
        "plain http would show the API key to the network: use https://api.mailgun.net",
    ),
    "plain http to a name that starts like loopback": (
        {"url": "http://127.0.0.1.example.com"},
        "plain http would show the API key to the network: use https://127.0.0.1.example.com",
    ),
    "version": ({"url": "https://api.mailgun.net/v3"}, "the base URL must not contain a version: leave out 'v3'"),
    "version and slash": (
        {"url": "https://api.mailgun.net/v12/"},
        "the base URL must not contain a version: leave out 'v12'",
    ),
    "no scheme": ({"url": "api.mailgun.net"}, "'api.mailgun.net' is not a URL that starts with https://"),
    "other scheme": ({"url": "ftp://x.example"}, "'ftp://x.example' is not a URL that starts with https://"),
    "no host": ({"url": "https:///v"}, "'https:///v' is not a URL that starts with https://"),
    "space in the host": (
        {"url": "https://a b.example"},
        "'https://a b.example' is not a URL that starts with https://",
    ),
    "backslash": (
        {"url": "https://evil.example\\.mailgun.net"},
        "'https://evil.example\\\\.mailgun.net' is not a URL that starts with https://",
    ),
    "query": (
        {"url": "https://x.example?a=b"},
        "the base URL must not contain a user name, password, query or fragment",
    ),
    "fragment": (
        {"url": "https://x.example#a"},
        "the base URL must not contain a user name, password, query or fragment",
    ),
    "password": (
        {"url": "https://api:hunter2@x.example"},
        "the base URL must not contain a user name, password, query or fragment",
    ),
    "password in a wrong scheme": (
        {"url": "ftp://api:hunter2@x.example"},
        "the base URL must not contain a user name, password, query or fragment",
    ),
    "password beside a wrong port": ({"url": "https://api:hunter2@x.example:port"}, "the base URL is not a URL"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_endpoint_is_refused_with_the_reason(given: dict[str, str | None], message: str) -> None:
    with pytest.raises(EndpointError) as refusal:
        resolve(**given)

    assert str(refusal.value) == message


STORAGE = "storage-us-east4.api.mailgun.net"


@pytest.mark.parametrize(
    ("endpoint", "host", "base"),
    [
        pytest.param(US, None, "https://api.mailgun.net", id="no special host"),
        pytest.param(US, STORAGE, f"https://{STORAGE}", id="storage host"),
        pytest.param(Endpoint("http://127.0.0.1:8025", None), STORAGE, "http://127.0.0.1:8025", id="simulator"),
        pytest.param(Endpoint("https://proxy.example", None), None, "https://proxy.example", id="own url"),
    ],
)
def test_a_storage_host_is_asked_itself_only_where_mailgun_is(endpoint: Endpoint, host: str | None, base: str) -> None:
    assert endpoint.base(host) == base


@pytest.mark.parametrize(
    ("endpoint", "other", "secure"),
    [
        pytest.param(US, "eu", True, id="us"),
        pytest.param(EU, "us", True, id="eu"),
        pytest.param(Endpoint("https://proxy.example", None), None, True, id="own url"),
        pytest.param(Endpoint("http://localhost:1", None), None, False, id="loopback"),
    ],
)
def test_an_endpoint_knows_the_other_region_and_whether_it_is_secure(
    endpoint: Endpoint, other: str | None, secure: bool
) -> None:
    assert (endpoint.other_region, endpoint.secure) == (other, secure)
