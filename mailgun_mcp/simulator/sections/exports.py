"""Exports: links to the response of an API URL. They are undocumented, but Mailgun's SDK for Go uses them."""

import re

from mailgun_mcp.simulator.http.undocumented_routes import UndocumentedRequest, UndocumentedRoute
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.optimize import Export
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success

PATH = "/v3/exports"


def _create(account: Account, request: UndocumentedRequest) -> Reply:
    url = str(request.fields.get("url", [""])[-1])
    if not url.startswith("/v") or url.startswith(PATH):
        raise ApiError(400, "'url' parameter is not a path of the API" if url else "url parameter is missing")
    export = Export(account.uuid(), url, account.clock.now())
    account.administration.optimize.exports[export.id] = export
    return success("success")


def _list(account: Account, request: UndocumentedRequest) -> Reply:
    url = request.fields.get("url", [""])[-1]
    exports = account.administration.optimize.exports.values()
    return Reply({"items": [_to_json(export) for export in exports if url in ("", export.url)]})


def _get(account: Account, request: UndocumentedRequest) -> Reply:
    return Reply(_to_json(_find(account, request)))


def _link(account: Account, request: UndocumentedRequest) -> Reply:
    location = f"{request.base_url}{PATH}/{_find(account, request).id}/content"
    return Reply({"message": "Found"}, 302, headers={"location": location})


async def _content(account: Account, request: UndocumentedRequest) -> Reply:
    return await request.read(_find(account, request).url)


def _find(account: Account, request: UndocumentedRequest) -> Export:
    export = account.administration.optimize.exports.get(request.values["id"])
    if export is None:
        raise ApiError(404, "export not found")
    return export


def _to_json(export: Export) -> dict[str, str]:
    return {"id": export.id, "status": "complete", "url": export.url}


ONE = PATH + "/(?P<id>[^/]+)"
EXPORT_ROUTES = (
    UndocumentedRoute("POST", re.compile(PATH), "query_logs", _create),
    UndocumentedRoute("GET", re.compile(PATH), "query_logs", _list),
    UndocumentedRoute("GET", re.compile(ONE), "query_logs", _get),
    UndocumentedRoute("GET", re.compile(ONE + "/download_url"), "query_logs", _link),
    UndocumentedRoute("GET", re.compile(ONE + "/content"), "query_logs", _content),
)
