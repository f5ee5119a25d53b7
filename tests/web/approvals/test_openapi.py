"""The OpenAPI document of the API is valid and has every route, and no other."""

from openapi_spec_validator import validate
from starlette.routing import Route

from mailgun_mcp.web.approvals.api import ApprovalsApi
from mailgun_mcp.web.approvals.changes import ApprovalChanges
from mailgun_mcp.web.approvals.openapi import document
from tests.support.recorder import Recorder, recorded_services


def test_the_document_is_valid() -> None:
    validate(document())


def test_the_document_has_the_routes_of_the_app() -> None:
    services = recorded_services(Recorder())
    app = ApprovalsApi(services, ApprovalChanges(services.store, services.approvals, services.clock)).app()
    routes = [route for route in app.routes if isinstance(route, Route)]
    served = {(route.path, (route.methods or set()) - {"HEAD"} == {"GET"}) for route in routes}
    described = {(path, "get" in methods) for path, methods in document()["paths"].items()}
    assert served == described
