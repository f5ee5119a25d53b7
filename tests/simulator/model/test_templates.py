"""A template sends its active version when none is named."""

from mailgun_mcp.simulator.model.templates import Template, TemplateVersion


def test_the_active_version_is_the_one_marked_active() -> None:
    versions = {tag: TemplateVersion(tag, tag, "", 0.0, active=tag == "v2") for tag in ("v1", "v2")}
    active = Template("1", "welcome", 0.0, versions=versions).active
    assert active is versions["v2"]


def test_a_template_without_versions_has_no_active_one() -> None:
    assert Template("1", "welcome", 0.0).active is None
