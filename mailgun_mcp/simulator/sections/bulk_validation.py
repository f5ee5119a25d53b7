"""Validation of the addresses in a file, and previews of it. Only Mailgun's SDKs and the manual of Validate have it.

A job is complete at once. Its summary counts the verdicts of validating each address.
"""

import csv
import io
import re
from urllib.parse import quote

from mailgun_mcp.simulator.http.asgi import MAX_CONTENT
from mailgun_mcp.simulator.http.body import File, decompress
from mailgun_mcp.simulator.http.undocumented_routes import UndocumentedRequest, UndocumentedRoute
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.lists import ListValidation
from mailgun_mcp.simulator.replies.reply import NO_CONTENT, ApiError, Reply, success
from mailgun_mcp.simulator.sections.list_validation import (
    validate_all,
    validation_results,
    validation_status,
    validation_summary,
)

HEADERS = ("email", "email_address", "address")
"""The names of the column with the addresses. Without one of them, it is the first column."""
GZIP = b"\x1f\x8b"
DEFAULT_LIMIT = 500
PATH = "/v4/address/validate"


def _validate(account: Account, request: UndocumentedRequest) -> Reply:
    address = str(request.fields.get("address", [""])[-1]).strip()
    if not address:
        raise ApiError(400, "'address' parameter is required")
    text = str(request.fields.get("provider_lookup", ["true"])[-1]).lower()
    provider_lookup = text not in ("false", "no")
    return Reply(
        validate_all(account, [address], "email_validation_single", provider_lookup=provider_lookup).verdicts[0]
    )


def _list(account: Account, request: UndocumentedRequest) -> Reply:
    validations = sorted(account.administration.optimize.validations.items())
    limit, after = _limit(request), str(request.fields.get("pivot", [""])[-1])
    jobs = [(name, validation) for name, validation in validations if name > after][:limit]
    first = f"{request.base_url}{PATH}/bulk?limit={limit}"
    pages = dict.fromkeys(("first", "last", "next", "previous"), first)
    if jobs:
        pages["next"] = f"{first}&page=next&pivot={quote(jobs[-1][0], safe='')}"
    return Reply({"jobs": [_job(request, *job) for job in jobs], "total": len(validations), "paging": pages})


def _limit(request: UndocumentedRequest) -> int:
    text = str(request.fields.get("limit", [DEFAULT_LIMIT])[-1])
    if not re.fullmatch("[1-9][0-9]{0,3}", text):
        raise ApiError(400, "'limit' parameter is not valid")
    return int(text)


def _start(account: Account, request: UndocumentedRequest) -> Reply:
    validation = validate_all(account, _addresses(request), "email_validation_bulk")
    account.administration.optimize.validations[request.values["name"]] = validation
    return Reply({"id": request.values["name"], "message": "The validation job was submitted."}, 202)


def _get(account: Account, request: UndocumentedRequest) -> Reply:
    return Reply(_job(request, request.values["name"], _find(account.administration.optimize.validations, request)))


def _results(account: Account, request: UndocumentedRequest) -> Reply:
    return validation_results(_find(account.administration.optimize.validations, request), request.values["kind"])


def _delete(account: Account, request: UndocumentedRequest) -> Reply:
    _find(account.administration.optimize.validations, request)
    del account.administration.optimize.validations[request.values["name"]]
    return success("Validation job canceled.")


def _job(request: UndocumentedRequest, name: str, validation: ListValidation) -> dict[str, object]:
    return validation_status(name, validation, f"{request.base_url}{PATH}/bulk/{quote(name, safe='')}/results")


def _start_preview(account: Account, request: UndocumentedRequest) -> Reply:
    validation = validate_all(account, _addresses(request), "email_validation_bulk")
    account.administration.optimize.previews[request.values["name"]] = validation
    return Reply({"id": request.values["name"], "message": "The bulk preview was submitted."}, 202)


def _list_previews(account: Account, _: UndocumentedRequest) -> Reply:
    previews = account.administration.optimize.previews
    return Reply({"previews": [_preview(name, previews[name]) for name in sorted(previews)]})


def _get_preview(account: Account, request: UndocumentedRequest) -> Reply:
    preview = _find(account.administration.optimize.previews, request)
    return Reply({"preview": _preview(request.values["name"], preview)})


def _promote(account: Account, request: UndocumentedRequest) -> Reply:
    name, optimize = request.values["name"], account.administration.optimize
    optimize.validations[name] = _find(optimize.previews, request)
    del optimize.previews[name]
    return Reply({"id": name, "message": "The validation job was submitted."}, 202)


def _delete_preview(account: Account, request: UndocumentedRequest) -> Reply:
    _find(account.administration.optimize.previews, request)
    del account.administration.optimize.previews[request.values["name"]]
    return NO_CONTENT


def _preview(name: str, validation: ListValidation) -> dict[str, object]:
    return {
        "id": name,
        "valid": True,
        "status": "preview_complete",
        "quantity": len(validation.verdicts),
        "created_at": mail_date(validation.created_at, "GMT"),
        "summary": validation_summary(validation),
    }


def _find(validations: dict[str, ListValidation], request: UndocumentedRequest) -> ListValidation:
    if request.values["name"] not in validations:
        raise ApiError(404, "Validation job not found")
    return validations[request.values["name"]]


def _addresses(request: UndocumentedRequest) -> list[str]:
    """Return the addresses in the file of a request. Raises ApiError when there are none."""
    file = request.fields.get("file", [""])[-1]
    data = file.data if isinstance(file, File) else str(file).encode()
    data = decompress(data, "gzip", MAX_CONTENT) if data.startswith(GZIP) else data
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"))) if any(row)]
    except csv.Error as error:
        raise ApiError(400, f"'file' parameter is not CSV: {error}") from error
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((names.index(name) for name in HEADERS if name in names), None)
    if column is not None:
        rows = rows[1:]
    addresses = [row[column or 0].strip() for row in rows if len(row) > (column or 0)]
    if not any(addresses):
        raise ApiError(400, "'file' parameter must be a file with addresses")
    return [address for address in addresses if address]


ONE_JOB, ONE_PREVIEW = PATH + "/bulk/(?P<name>[^/]+)", PATH + "/preview/(?P<name>[^/]+)"
OPERATION = "validate_email_address"
BULK_VALIDATION_ROUTES = (
    UndocumentedRoute("POST", re.compile(PATH), OPERATION, _validate),
    UndocumentedRoute("GET", re.compile(PATH + "/bulk"), OPERATION, _list),
    UndocumentedRoute("POST", re.compile(ONE_JOB), OPERATION, _start),
    UndocumentedRoute("GET", re.compile(ONE_JOB), OPERATION, _get),
    UndocumentedRoute("DELETE", re.compile(ONE_JOB), OPERATION, _delete),
    UndocumentedRoute("GET", re.compile(ONE_JOB + r"/results\.(?P<kind>csv|json)"), OPERATION, _results),
    UndocumentedRoute("GET", re.compile(PATH + "/preview"), OPERATION, _list_previews),
    UndocumentedRoute("POST", re.compile(ONE_PREVIEW), OPERATION, _start_preview),
    UndocumentedRoute("GET", re.compile(ONE_PREVIEW), OPERATION, _get_preview),
    UndocumentedRoute("PUT", re.compile(ONE_PREVIEW), OPERATION, _promote),
    UndocumentedRoute("DELETE", re.compile(ONE_PREVIEW), OPERATION, _delete_preview),
)
