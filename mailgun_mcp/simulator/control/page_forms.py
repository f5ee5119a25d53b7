"""The forms of the page: send a message, receive one, set faults, start a scenario. The page's script submits them."""

from collections.abc import Iterable

from mailgun_mcp.simulator.control.faults import KINDS
from mailgun_mcp.simulator.control.markup import Markup, element, joined
from mailgun_mcp.simulator.control.page_views import PageRequest


def forms(request: PageRequest) -> Markup:
    """Return all forms. They stay hidden without the script, which submits them."""
    from mailgun_mcp.simulator.worlds.scenario import shipped_names

    domains = [domain.name for domain in request.domains]
    first = domains[0] if domains else "mail.example.com"
    parts = [
        _form(
            "Send a message",
            "Send",
            [
                _select("domain", "Domain", domains),
                _input("from", "From", f"sender@{first}"),
                _input("to", "To", "ann@example.org"),
                _input("subject", "Subject", "Hello"),
                _textarea("text", "Text", "Hi"),
                _textarea("html", "HTML (optional)"),
                _input("o:tag", "Tag (optional)"),
            ],
            data_compose=True,
        ),
        _form(
            "Receive a message",
            "Receive",
            [
                _input("from", "From", "ann@example.org"),
                _input("to", "To", f"inbox@{first}"),
                _input("subject", "Subject", "Question"),
                _textarea("text", "Text", "Hi"),
                _textarea("html", "HTML (optional)"),
            ],
            data_route="inbound",
        ),
        _form(
            "Make requests fail",
            "Set the fault",
            [
                _select("kind", "Fault", KINDS),
                _input("operation", "Operation (glob)", "*"),
                _input("rate", "Share of requests, 0 to 1", "1"),
            ],
            data_route="faults",
            extra=[element("button", "Remove all faults", type="button", data_clear="faults")],
        ),
        _form(
            "Start a scenario",
            "Replace the account",
            [_select("scenario", "Scenario", ["", *shipped_names()], "the demo account")],
            data_route="seed",
            extra=[element("button", "Reset to the start", type="button", data_reset=True)],
        ),
    ]
    off = element("p", "The forms need JavaScript. The control routes do the same.", class_="none", id="off")
    return joined([off, element("div", *parts, class_="forms", hidden=True)])


def _form(
    title: str, button: str, fields: Iterable[Markup], *, extra: Iterable[Markup] = (), **data: str | bool
) -> Markup:
    buttons = element("p", element("button", button, type="submit"), *extra, class_="actions")
    return element("form", element("h2", title), *fields, buttons, **data)


def _input(name: str, label: str, value: str = "") -> Markup:
    return element("label", label, element("input", name=name, value=value, autocomplete="off"))


def _textarea(name: str, label: str, value: str = "") -> Markup:
    return element("label", label, element("textarea", value, name=name, rows="3"))


def _select(name: str, label: str, values: Iterable[str], empty: str = "") -> Markup:
    options = [element("option", value or empty, value=value) for value in values]
    return element("label", label, element("select", *options, name=name))
