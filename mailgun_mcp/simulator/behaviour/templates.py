"""Templates: what the demo account holds can be read. The rest of the section keeps no state yet."""

from typing import Any

from mailgun_mcp.simulator.call import Call, Handler
from mailgun_mcp.simulator.clock import mail_date
from mailgun_mcp.simulator.paging import PivotQuery, pivot_page
from mailgun_mcp.simulator.replies import Refusal, Reply
from mailgun_mcp.simulator.state import Account, Template, TemplateVersion

Record = dict[str, Any]


def list_templates(_: Account, call: Call) -> Reply:
    page = pivot_page(call.domain.templates, _asked(call))
    return Reply({"items": [_shown(template) for template in page.items], "paging": page.paging})


def get_template(_: Account, call: Call) -> Reply:
    return Reply({"template": _with_active(_found(call))})


def get_template_version(_: Account, call: Call) -> Reply:
    template = _found(call)
    version = template.versions.get(call["version_name"])
    if version is None:
        raise Refusal(404, "version not found")
    return Reply({"template": {**_shown(template), "version": _version(version)}})


def list_template_versions(_: Account, call: Call) -> Reply:
    template = _found(call)
    page = pivot_page(template.versions, _asked(call))
    versions = [{**_version(version), "template": ""} for version in page.items]
    return Reply({"template": {**_shown(template), "versions": versions}, "paging": page.paging})


def _asked(call: Call) -> PivotQuery:
    return PivotQuery(call.url, call.get("page"), call.get("p"), call.get("limit"), pivot_name="p")


def _found(call: Call) -> Template:
    template = call.domain.templates.get(call["template_name"].lower())
    if template is None:
        raise Refusal(404, "template not found")
    return template


def _shown(template: Template) -> Record:
    return {
        "name": template.name,
        "description": template.description,
        "createdAt": mail_date(template.created_at),
        "createdBy": template.created_by,
        "id": template.id,
    }


def _with_active(template: Template) -> Record:
    active = template.active
    return {**_shown(template), **({"version": _version(active)} if active else {})}


def _version(version: TemplateVersion) -> Record:
    return {
        "tag": version.tag,
        "template": version.template,
        "engine": version.engine,
        "mjml": "",
        "createdAt": mail_date(version.created_at),
        "comment": version.comment,
        "active": version.active,
        "id": version.id,
        "headers": version.headers,
    }


HANDLERS: dict[str, Handler] = {
    "list_templates": list_templates,
    "get_template": get_template,
    "get_template_version": get_template_version,
    "list_template_versions": list_template_versions,
}
