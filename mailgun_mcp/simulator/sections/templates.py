"""Templates and their versions. At most one version is active; it is sent unless the request names another.

A template belongs to one domain, or to the account and thus to all its domains.
"""

import re

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.mail.templating import TemplateError, check_syntax
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.templates import Template, TemplateVersion
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

MOST_TEMPLATES = 100
MOST_VERSIONS = 40
MOST_BYTES = 100 * 1024
NAME = re.compile(r"[^/\x00-\x1f]{1,255}")


@handles("list_templates", fidelity="stateful", note="paged by pivot")
@handles("list_account_templates", fidelity="stateful", note="paged by pivot")
def list_templates(account: Account, request: SimulatedRequest) -> Reply:
    page = pivot_page(_templates(account, request), _asked(request))
    return Reply({"items": [_to_json(template) for template in page.items], "paging": page.paging})


@handles("create_template", fidelity="stateful", note="with a first version")
@handles("create_account_template", fidelity="stateful", note="with a first version")
def create_template(account: Account, request: SimulatedRequest) -> Reply:
    name = _checked_name(request["name"], "name").lower()
    templates = _templates(account, request)
    if name in templates:
        raise ApiError(409, f"template {name} already exists")
    if len(templates) >= MOST_TEMPLATES:
        raise ApiError(400, f"templates limit of {MOST_TEMPLATES} is reached")
    now = account.clock.now()
    template = Template(account.uuid(), name, now, request.get("description", ""), request.get("createdBy", ""))
    if request.get("template"):
        _add_version(account, template, request, active=True)
    templates[name] = template
    return success("template has been stored", template=_with_version(template, template.active))


@handles("get_template", fidelity="stateful", note="with its active version if requested")
@handles("get_account_template", fidelity="stateful", note="with its active version if requested")
def get_template(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    return Reply({"template": _with_version(template, template.active if request.get("active") else None)})


@handles("update_template", fidelity="stateful", note="the description")
@handles("update_account_template", fidelity="stateful", note="the description")
def update_template(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    template.description = request["description"]
    return success("template has been updated", template={"name": template.name})


@handles("delete_template", fidelity="stateful", note="with its versions")
@handles("delete_account_template", fidelity="stateful", note="with its versions")
def delete_template(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    del _templates(account, request)[template.name]
    return success("template has been deleted", template={"name": template.name})


@handles("clear_templates", fidelity="stateful", note="deletes all templates of a domain")
@handles("clear_account_templates", fidelity="stateful", note="deletes all templates of the account")
def clear_templates(account: Account, request: SimulatedRequest) -> Reply:
    _templates(account, request).clear()
    return success("templates have been deleted")


@handles("list_template_versions", fidelity="stateful", note="paged by pivot")
@handles("list_account_template_versions", fidelity="stateful", note="paged by pivot")
def list_template_versions(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    page = pivot_page(template.versions, _asked(request))
    versions = [{**_version(version), "template": ""} for version in page.items]
    return Reply({"template": {**_to_json(template), "versions": versions}, "paging": page.paging})


@handles("create_template_version", fidelity="stateful", note="the first version is active")
@handles("create_account_template_version", fidelity="stateful", note="the first version is active")
def create_template_version(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    tag = _checked_name(request["version"], "tag")
    if tag in template.versions:
        raise ApiError(409, f"version {tag} already exists")
    version = _add_version(account, template, request, active=request.get("active", False) or not template.versions)
    return success("new version of the template has been stored", template=_with_version(template, version))


@handles("get_template_version", fidelity="stateful", note="with its content")
@handles("get_account_template_version", fidelity="stateful", note="with its content")
def get_template_version(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    return Reply({"template": _with_version(template, _get_version(template, request))})


@handles("update_template_version", fidelity="stateful", note="content, comment, and whether it is active")
@handles("update_account_template_version", fidelity="stateful", note="content, comment, and whether it is active")
def update_template_version(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    version = _get_version(template, request)
    changes = {name: request[name] for name in ("template", "comment", "headers") if name in request.arguments}
    _check_content(changes.get("template", version.template), version.engine)
    for name, value in changes.items():
        setattr(version, name, value)
    # `active=no` changes nothing: a template always keeps its active version.
    if request.get("active"):
        _activate(template, version)
    return _changed("version has been updated", template, version)


@handles("delete_template_version", fidelity="stateful", note="by tag")
@handles("delete_account_template_version", fidelity="stateful", note="by tag")
def delete_template_version(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    version = _get_version(template, request)
    del template.versions[version.tag]
    return _changed("version has been deleted", template, version)


@handles("copy_template_version", fidelity="stateful", note="under a new tag")
@handles("copy_account_template_version", fidelity="stateful", note="under a new tag")
def copy_template_version(account: Account, request: SimulatedRequest) -> Reply:
    template = _get_template(account, request)
    original = _get_version(template, request)
    tag = _checked_name(request["new_version"], "tag")
    replaced = template.versions.get(tag)
    if replaced is None:
        _check_room(template)
    copy = TemplateVersion(
        id=account.uuid(),
        tag=tag,
        template=original.template,
        created_at=account.clock.now(),
        active=replaced is not None and replaced.active,
        comment=request.get("comment", original.comment),
        engine=original.engine,
        headers=dict(original.headers),
    )
    template.versions[tag] = copy
    return success("version has been copied", version=_version(copy), template=_version(copy))


def _add_version(account: Account, template: Template, request: SimulatedRequest, *, active: bool) -> TemplateVersion:
    """Add the version that `request` describes. Raises ApiError when it is invalid."""
    _check_room(template)
    engine = request.get("engine")
    _check_content(request["template"], engine)
    version = TemplateVersion(
        id=account.uuid(),
        tag=_checked_name(request.get("version"), "tag"),
        template=request["template"],
        created_at=account.clock.now(),
        comment=request.get("comment", ""),
        engine=engine,
        headers=dict(request.get("headers", {})),
    )
    template.versions[version.tag] = version
    if active:
        _activate(template, version)
    return version


def _activate(template: Template, version: TemplateVersion) -> None:
    for other in template.versions.values():
        other.active = other is version


def _check_room(template: Template) -> None:
    if len(template.versions) >= MOST_VERSIONS:
        raise ApiError(400, f"versions limit of {MOST_VERSIONS} is reached")


def _check_content(content: str, engine: str) -> None:
    if len(content.encode("utf-8", "replace")) > MOST_BYTES:
        raise ApiError(400, f"template is too big, max allowed size is {MOST_BYTES // 1024} KB")
    try:
        check_syntax(content, engine)
    except TemplateError as fault:
        raise ApiError(400, f"Invalid parameter: template is invalid: {fault}") from fault


def _checked_name(name: str, parameter: str) -> str:
    if not NAME.fullmatch(name):
        raise ApiError(400, f"Invalid parameter: {parameter} is invalid")
    return name


def _asked(request: SimulatedRequest) -> PivotQuery:
    return PivotQuery(request.url, request.get("page"), request.get("p"), request.get("limit"), pivot_name="p")


def _templates(account: Account, request: SimulatedRequest) -> dict[str, Template]:
    """Return the templates of the domain named in the path, or those of the account."""
    return account.templates if request.found_domain is None else request.domain.templates


def _get_template(account: Account, request: SimulatedRequest) -> Template:
    template = _templates(account, request).get(request["template_name"].lower())
    if template is None:
        raise ApiError(404, "template not found")
    return template


def _get_version(template: Template, request: SimulatedRequest) -> TemplateVersion:
    version = template.versions.get(request["version"])
    if version is None:
        raise ApiError(404, "template version not found")
    return version


def _changed(message: str, template: Template, version: TemplateVersion) -> Reply:
    return success(message, template={"name": template.name, "version": {"tag": version.tag}})


def _to_json(template: Template) -> Record:
    return {
        "name": template.name,
        "description": template.description,
        "createdAt": mail_date(template.created_at),
        "createdBy": template.created_by,
        "id": template.id,
    }


def _with_version(template: Template, version: TemplateVersion | None) -> Record:
    return {**_to_json(template), **({"version": _version(version)} if version else {})}


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
