"""Validation of all members of a mailing list. Only Mailgun's older documents and SDKs have it.

A job is complete at once. Its summary counts the verdicts of validating each address.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.http.undocumented_routes import UndocumentedRequest, UndocumentedRoute
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.lists import ListValidation, MailingList
from mailgun_mcp.simulator.replies.reply import TEXT, ApiError, Reply, success
from mailgun_mcp.simulator.sections.validate import validated

RESULTS = ("catch_all", "deliverable", "do_not_send", "undeliverable", "unknown")
RISKS = ("high", "low", "medium", "unknown")
COLUMNS = (
    "address",
    "is_role_address",
    "is_disposable_address",
    "did_you_mean",
    "result",
    "reason",
    "risk",
    "root_address",
)


def _start(account: Account, request: UndocumentedRequest) -> Reply:
    mailing_list = _list(account, request)
    addresses = [member.address for member in mailing_list.members.values()]
    mailing_list.validation = validate_all(account, addresses, "email_validation_list")
    return success("The validation job was submitted.", id=mailing_list.address)


def _status(account: Account, request: UndocumentedRequest) -> Reply:
    mailing_list = _list(account, request)
    validation = _validation(mailing_list)
    link = f"{request.base_url}/v3/lists/{mailing_list.address}/validate/results"
    return Reply(validation_status(mailing_list.address, validation, link))


def _delete(account: Account, request: UndocumentedRequest) -> Reply:
    mailing_list = _list(account, request)
    _validation(mailing_list)
    mailing_list.validation = None
    return success("Validation job canceled.")


def _results(account: Account, request: UndocumentedRequest) -> Reply:
    return validation_results(_validation(_list(account, request)), request.values["kind"])


def validate_all(
    account: Account, addresses: Iterable[str], usage: str, *, provider_lookup: bool = True
) -> ListValidation:
    """Return the verdicts on the addresses, and count them as this kind of usage."""
    verdicts = [validated(account, address, provider_lookup=provider_lookup) for address in addresses]
    for verdict in verdicts:
        counted = ["email_validation", usage, "email_validation_mailgun"]
        valid = ["email_validation_valid"] if verdict["result"] == "deliverable" else []
        account.analytics.count_usage(account.clock.now(), *[*counted, *valid])
    return ListValidation(account.clock.now(), verdicts)


def validation_status(identity: str, validation: ListValidation, link: str) -> Record:
    """Return a job in the form of the API. `link` is the URL of its results, without the extension."""
    return {
        "created_at": mail_date(validation.created_at, "GMT"),
        "download_url": {kind: f"{link}.{kind}" for kind in ("csv", "json")},
        "id": identity,
        "quantity": len(validation.verdicts),
        "records_processed": len(validation.verdicts),
        "status": "uploaded",
        "summary": validation_summary(validation),
    }


def validation_summary(validation: ListValidation) -> Record:
    """Return how many addresses have each result and each risk."""
    return {"result": _counts(validation, "result", RESULTS), "risk": _counts(validation, "risk", RISKS)}


def validation_results(validation: ListValidation, kind: str) -> Reply:
    """Return the verdicts as `json` or `csv`."""
    verdicts = validation.verdicts
    if kind == "json":
        return Reply(verdicts)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**verdict, "reason": json.dumps(verdict["reason"])} for verdict in verdicts)
    return Reply(text.getvalue(), content_type=TEXT.replace("plain", "csv"))


def _list(account: Account, request: UndocumentedRequest) -> MailingList:
    address = request.values["list"].lower()
    if address not in account.lists:
        raise ApiError(404, f"Mailing list {address} not found")
    return account.lists[address]


def _validation(mailing_list: MailingList) -> ListValidation:
    if mailing_list.validation is None:
        raise ApiError(404, "Validation job not found")
    return mailing_list.validation


def _counts(validation: ListValidation, name: str, values: tuple[str, ...]) -> dict[str, int]:
    counter: Counter[Any] = Counter(verdict[name] for verdict in validation.verdicts)
    return {value: counter[value] for value in values}


PATH = "/v3/lists/(?P<list>[^/]+)/validate"
LIST_VALIDATION_ROUTES = (
    UndocumentedRoute("POST", re.compile(PATH), "validate_email_address", _start),
    UndocumentedRoute("GET", re.compile(PATH), "get_mailing_list", _status),
    UndocumentedRoute("DELETE", re.compile(PATH), "update_mailing_list", _delete),
    UndocumentedRoute("GET", re.compile(PATH + r"/results\.(?P<kind>csv|json)"), "get_mailing_list", _results),
)
