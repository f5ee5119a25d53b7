"""Templates and their versions: at most one version is active, and is what is sent unless another is named."""

import re
from typing import Any

from mailgun_mcp.simulator.mail.templating import TemplateFault, check_syntax
from mailgun_mcp.simulator.model.account import Account, Template, TemplateVersion
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said

Record = dict[str, Any]

MOST_TEMPLATES = 100
MOST_VERSIONS = 40
MOST_BYTES = 100 * 1024
NAME = re.compile(r"[^/\x00-\x1f]{1,255}")


def list_templates(_: Account, call: Call) -> Reply:
    page = pivot_page(call.domain.templates, _asked(call))
    return Reply({"items": [_shown(template) for template in page.items], "paging": page.paging})


def create_template(account: Account, call: Call) -> Reply:
    name = _checked_name(call["name"], "name").lower()
    if name in call.domain.templates:
        raise Refusal(409, f"template {name} already exists")
    if len(call.domain.templates) >= MOST_TEMPLATES:
        raise Refusal(400, f"templates limit of {MOST_TEMPLATES} is reached")
    now = account.clock.now()
    template = Template(account.uuid(), name, now, call.get("description", ""), call.get("createdBy", ""))
    if call.get("template"):
        _add_version(account, template, call, active=True)
    call.domain.templates[name] = template
    return said("template has been stored", template=_with_version(template, template.active))


def get_template(_: Account, call: Call) -> Reply:
    template = _found(call)
    return Reply({"template": _with_version(template, template.active if call.get("active") else None)})


def update_template(_: Account, call: Call) -> Reply:
    template = _found(call)
    template.description = call["description"]
    return said("template has been updated", template={"name": template.name})


def delete_template(_: Account, call: Call) -> Reply:
    template = _found(call)
    del call.domain.templates[template.name]
    return said("template has been deleted", template={"name": template.name})


def clear_templates(_: Account, call: Call) -> Reply:
    call.domain.templates.clear()
    return said("templates have been deleted")


def list_template_versions(_: Account, call: Call) -> Reply:
    template = _found(call)
    page = pivot_page(template.versions, _asked(call))
    versions = [{**_version(version), "template": ""} for version in page.items]
    return Reply({"template": {**_shown(template), "versions": versions}, "paging": page.paging})


def create_template_version(account: Account, call: Call) -> Reply:
    template = _found(call)
    tag = _checked_name(call["tag"], "tag")
    if tag in template.versions:
        raise Refusal(409, f"version {tag} already exists")
    version = _add_version(account, template, call, active=call.get("active", False) or not template.versions)
    return said("new version of the template has been stored", template=_with_version(template, version))


def get_template_version(_: Account, call: Call) -> Reply:
    template = _found(call)
    return Reply({"template": _with_version(template, _found_version(template, call))})


def update_template_version(_: Account, call: Call) -> Reply:
    template = _found(call)
    version = _found_version(template, call)
    changes = {name: call[name] for name in ("template", "comment", "headers") if name in call.arguments}
    _check_content(changes.get("template", version.template), version.engine)
    for name, value in changes.items():
        setattr(version, name, value)
    # `active=no` changes nothing: a template always keeps the version that it sends.
    if call.get("active"):
        _activate(template, version)
    return _changed("version has been updated", template, version)


def delete_template_version(_: Account, call: Call) -> Reply:
    template = _found(call)
    version = _found_version(template, call)
    del template.versions[version.tag]
    return _changed("version has been deleted", template, version)


def copy_template_version(account: Account, call: Call) -> Reply:
    template = _found(call)
    original = _found_version(template, call)
    tag = _checked_name(call["new_version_name"], "tag")
    replaced = template.versions.get(tag)
    if replaced is None:
        _check_room(template)
    copy = TemplateVersion(
        id=account.uuid(),
        tag=tag,
        template=original.template,
        created_at=account.clock.now(),
        active=replaced is not None and replaced.active,
        comment=call.get("comment", original.comment),
        engine=original.engine,
        headers=dict(original.headers),
    )
    template.versions[tag] = copy
    return said("version has been copied", version=_version(copy), template=_version(copy))


def _add_version(account: Account, template: Template, call: Call, *, active: bool) -> TemplateVersion:
    """Add the version that `call` describes. Raises Refusal when it cannot be one."""
    _check_room(template)
    engine = call.get("engine")
    _check_content(call["template"], engine)
    version = TemplateVersion(
        id=account.uuid(),
        tag=_checked_name(call.get("tag"), "tag"),
        template=call["template"],
        created_at=account.clock.now(),
        comment=call.get("comment", ""),
        engine=engine,
        headers=dict(call.get("headers", {})),
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
        raise Refusal(400, f"versions limit of {MOST_VERSIONS} is reached")


def _check_content(content: str, engine: str) -> None:
    if len(content.encode("utf-8", "replace")) > MOST_BYTES:
        raise Refusal(400, f"template is too big, max allowed size is {MOST_BYTES // 1024} KB")
    try:
        check_syntax(content, engine)
    except TemplateFault as fault:
        raise Refusal(400, f"Invalid parameter: template is invalid: {fault}") from fault


def _checked_name(name: str, parameter: str) -> str:
    if not NAME.fullmatch(name):
        raise Refusal(400, f"Invalid parameter: {parameter} is invalid")
    return name


def _asked(call: Call) -> PivotQuery:
    return PivotQuery(call.url, call.get("page"), call.get("p"), call.get("limit"), pivot_name="p")


def _found(call: Call) -> Template:
    template = call.domain.templates.get(call["template_name"].lower())
    if template is None:
        raise Refusal(404, "template not found")
    return template


def _found_version(template: Template, call: Call) -> TemplateVersion:
    version = template.versions.get(call["version_name"])
    if version is None:
        raise Refusal(404, "template version not found")
    return version


def _changed(message: str, template: Template, version: TemplateVersion) -> Reply:
    return said(message, template={"name": template.name, "version": {"tag": version.tag}})


def _shown(template: Template) -> Record:
    return {
        "name": template.name,
        "description": template.description,
        "createdAt": mail_date(template.created_at),
        "createdBy": template.created_by,
        "id": template.id,
    }


def _with_version(template: Template, version: TemplateVersion | None) -> Record:
    return {**_shown(template), **({"version": _version(version)} if version else {})}


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
    "create_template": create_template,
    "get_template": get_template,
    "update_template": update_template,
    "delete_template": delete_template,
    "clear_templates": clear_templates,
    "list_template_versions": list_template_versions,
    "create_template_version": create_template_version,
    "get_template_version": get_template_version,
    "update_template_version": update_template_version,
    "delete_template_version": delete_template_version,
    "copy_template_version": copy_template_version,
}
