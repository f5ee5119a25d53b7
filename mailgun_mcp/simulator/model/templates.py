"""Stored templates and their versions."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class TemplateVersion:
    """One version of a template's content."""

    id: str
    tag: str
    template: str
    created_at: float
    active: bool = False
    comment: str = ""
    engine: str = "handlebars"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Template:
    """A stored mail body."""

    id: str
    name: str
    created_at: float
    description: str = ""
    created_by: str = ""
    versions: dict[str, TemplateVersion] = field(default_factory=dict)

    @property
    def active(self) -> TemplateVersion | None:
        """The version that is sent when the request names none."""
        return next((version for version in self.versions.values() if version.active), None)
