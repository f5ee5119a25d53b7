"""The lock pins what pyproject.toml asks for, from public hosts, and pip can install from it."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def install() -> ModuleType:
    """The script `.ci/install.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("install", ROOT / ".ci" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(lines: list[str]) -> set[str]:
    return {line.partition("==")[0] for line in lines}


def requirement(item: dict[str, Any]) -> str:
    """Return a requirement of the lock as pyproject.toml writes it: `psycopg[binary,pool]>=3.3,<4`."""
    extras = f"[{','.join(item['extras'])}]" if "extras" in item else ""
    return f"{item['name']}{extras}{item.get('specifier', '')}"


def locked(name: str, package: dict[str, Any], dependencies: list[Any] | None = None) -> dict[str, Any]:
    wheel = {"url": f"https://files.pythonhosted.org/{name}.whl", "hash": f"sha256:{name}"}
    return {"name": name, "version": "1", "dependencies": dependencies or [], "wheels": [wheel], **package}


def test_the_lock_names_public_hosts_only() -> None:
    registries = {package["source"].get("registry") for package in LOCK["package"]}
    assert registries == {"https://pypi.org/simple", None}
    files = [file for package in LOCK["package"] for file in [*package.get("wheels", []), package.get("sdist", {})]]
    assert {urlsplit(file["url"]).hostname for file in files if "url" in file} == {"files.pythonhosted.org"}


def test_the_lock_is_of_this_project() -> None:
    (project,) = (package for package in LOCK["package"] if package["source"] == {"editable": "."})
    assert project["name"] == PROJECT["project"]["name"]
    extras = [item for items in PROJECT["project"]["optional-dependencies"].values() for item in items]
    # An extra that builds on another one of ours stands in the lock as what that one asks for.
    asked = {item for item in extras if not item.startswith(f"{project['name']}[")}
    assert {requirement(item) for item in project["metadata"]["requires-dist"]} == {
        *PROJECT["project"]["dependencies"],
        *asked,
    }
    development = {requirement(item) for item in project["metadata"]["requires-dev"]["dev"]}
    assert development == set(PROJECT["dependency-groups"]["dev"])


def test_a_demo_needs_less_than_half_of_what_development_needs(install: ModuleType) -> None:
    runtime, development = names(install.requirements(LOCK)), names(install.requirements(LOCK, "dev"))
    assert runtime < development
    assert len(runtime) < len(development) / 2
    assert not runtime & {"pytest", "mypy", "ruff", "hatchling", "hypothesis"}


def test_every_requirement_has_a_version_and_hashes(install: ModuleType) -> None:
    lines = install.requirements(LOCK, "dev")
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_what_is_published_without_a_wheel_is_built_with_what_the_lock_pins(install: ModuleType) -> None:
    built = install.only_sources(LOCK)
    assert not built or "setuptools" in names(install.requirements(LOCK, "dev"))
    assert not built & names(install.requirements(LOCK))


def test_markers_of_a_path_are_joined_and_of_several_paths_alternatives(install: ModuleType) -> None:
    lock = {
        "package": [
            locked(
                "project",
                {"source": {"editable": "."}},
                [
                    {"name": "a"},
                    {"name": "b", "marker": "m1"},
                    {"name": "c", "marker": "m2"},
                    {"name": "e", "extra": ["x"]},
                ],
            ),
            locked("a", {"source": {}}),
            locked("b", {"source": {}}, [{"name": "d", "marker": "m3"}, {"name": "a", "marker": "m4"}]),
            locked("c", {"source": {}}, [{"name": "d"}]),
            locked("d", {"source": {}}, [{"name": "b"}]),
            locked("e", {"source": {}, "optional-dependencies": {"x": [{"name": "f"}]}}),
            locked("f", {"source": {}}),
        ]
    }
    heads = [line.partition(" \\")[0] for line in install.requirements(lock)]
    assert heads == [
        "a==1",
        "b==1 ; ((m1)) or ((m2))",
        "c==1 ; ((m2))",
        "d==1 ; ((m1) and (m3)) or ((m2))",
        "e==1",
        "f==1",
    ]


def test_a_package_in_two_versions_is_refused(install: ModuleType) -> None:
    lock = {"package": [locked("a", {"source": {"editable": "."}}), locked("a", {"source": {}})]}
    with pytest.raises(SystemExit, match="two versions"):
        install.requirements(lock)
