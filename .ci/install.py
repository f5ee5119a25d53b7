"""Makes a virtual environment that holds what `uv.lock` pins. Needs Python 3.11 and its pip, nothing else.

python .ci/install.py .venv                                       what the package needs to run
python .ci/install.py .venv --group dev                           that, what development needs, and the package itself
python .ci/install.py .venv --group dev --resolution lowest-direct   instead of the lock: the oldest versions
                                                                  that pyproject.toml allows (needs uv)
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "uv.lock"
PIP_INSTALL = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
"""Python compiles a module when it is first imported: compiling all of them takes half of the time, and most are not used."""

Package = Mapping[str, Any]
Alternatives = set[frozenset[str]]
"""A package is needed where all markers of one of these sets hold; an empty set of markers always holds."""


def requirements(lock: Mapping[str, Any], group: str | None = None) -> list[str]:
    """Return requirement lines with hashes: the project's dependencies, and those of a development group."""
    packages: dict[str, Package] = {package["name"]: package for package in lock["package"]}
    if len(packages) < len(lock["package"]):
        raise SystemExit("uv.lock pins a package to two versions, which .ci/install.py does not support.")
    project = next(package for package in packages.values() if package["source"] == {"editable": "."})
    dependencies = project["dependencies"] + (project["dev-dependencies"][group] if group else [])
    reached: dict[tuple[str, str], Alternatives] = {}
    for dependency in dependencies:
        _walk(dependency, frozenset(), packages, reached)
    return [_line(packages[name], alternatives) for (name, extra), alternatives in sorted(reached.items()) if not extra]


def _walk(
    dependency: Mapping[str, Any],
    markers: frozenset[str],
    packages: Mapping[str, Package],
    reached: dict[tuple[str, str], Alternatives],
) -> None:
    """Add the package and what it depends on, under the markers of the path that leads there."""
    if "marker" in dependency:
        markers |= {dependency["marker"]}
    package = packages[dependency["name"]]
    for extra in ("", *dependency.get("extra", ())):
        alternatives = reached.setdefault((package["name"], extra), set())
        if any(alternative <= markers for alternative in alternatives):
            continue
        alternatives.add(markers)
        needed = package["optional-dependencies"][extra] if extra else package.get("dependencies", [])
        for each in needed:
            _walk(each, markers, packages, reached)


def _line(package: Package, alternatives: Alternatives) -> str:
    line = f"{package['name']}=={package['version']}"
    if frozenset() not in alternatives:
        line += " ; " + " or ".join(sorted(f"({_all_of(markers)})" for markers in alternatives))
    return " \\\n    ".join([line, *sorted(f"--hash={file['hash']}" for file in files(package))])


def _all_of(markers: frozenset[str]) -> str:
    return " and ".join(f"({marker})" for marker in sorted(markers))


def files(package: Package) -> list[Mapping[str, Any]]:
    """Return the wheels and the source archive of a package."""
    return [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]


def only_sources(lock: Mapping[str, Any]) -> set[str]:
    """Return the names of the packages that are published without a wheel, and are built here."""
    return {package["name"] for package in lock["package"] if "sdist" in package and not package.get("wheels")}


def links(lock: Mapping[str, Any]) -> str:
    """Return a page that links every file of the lock: pip then reads no index, which takes most of its time."""
    urls = [file["url"] for package in lock["package"] for file in files(package)]
    return "".join(f'<a href="{url}">{url.rpartition("/")[2]}</a>\n' for url in urls)


def install(environment: Path, group: str | None, resolution: str) -> None:
    """Make the virtual environment and install into it."""
    has_pip = importlib.util.find_spec("pip") is not None
    venv.create(environment, with_pip=not has_pip, symlinks=os.name != "nt")
    python = next(path for path in (environment / "bin/python", environment / "Scripts/python.exe") if path.exists())
    pip = [sys.executable, "-m", "pip", "--python", str(python)] if has_pip else [str(python), "-m", "pip"]
    pinned, sources = environment / "requirements.txt", environment / "sources.txt"
    more: list[str] = []
    built: list[str] = []
    if resolution == "locked":
        lock = tomllib.loads(LOCK.read_text(encoding="utf-8"))
        lines, unbuilt = requirements(lock, group), only_sources(lock)
        built = [line for line in lines if line.partition("==")[0] in unbuilt]
        sources.write_text("\n".join(built) + "\n", encoding="utf-8")
        pinned.write_text("\n".join(line for line in lines if line not in built) + "\n", encoding="utf-8")
        if not _has_index(pip):
            (environment / "links.html").write_text(links(lock), encoding="utf-8")
            more = ["--no-index", "--find-links", str(environment / "links.html")]
    else:
        _resolve(resolution, group, python, pinned)
    subprocess.run([*pip, *PIP_INSTALL, *more, "--require-hashes", "-r", str(pinned)], check=True)
    if built:
        # With the setuptools of the lock, installed just now: pip would look for one of its own.
        options = ["--no-build-isolation", "--require-hashes", "-r", str(sources)]
        subprocess.run([*pip, *PIP_INSTALL, *more, *options], check=True)
    if group:
        subprocess.run([*pip, *PIP_INSTALL, "--no-build-isolation", "--editable", str(ROOT)], check=True)


def _has_index(pip: list[str]) -> bool:
    """Whether the person has chosen a package index, which is then asked instead of PyPI's file host."""
    settings = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=True).stdout
    return "index-url" in settings or "no-index" in settings


def _resolve(resolution: str, group: str | None, python: Path, pinned: Path) -> None:
    uv = shutil.which("uv")
    if not uv:
        raise SystemExit(f"--resolution {resolution} needs uv: pip install uv")
    groups = ["--group", group] if group else []
    options = ["--resolution", resolution, "--generate-hashes", "--python", str(python), "--quiet"]
    project = str(ROOT / "pyproject.toml")
    subprocess.run([uv, "pip", "compile", project, *groups, *options, "--output-file", str(pinned)], check=True)


def main() -> None:
    """Read the arguments and install."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment", type=Path, help="directory of the virtual environment")
    parser.add_argument("--group", help="also install this dependency group of pyproject.toml, and the package")
    parser.add_argument("--resolution", default="locked", choices=["locked", "lowest-direct"])
    arguments = parser.parse_args()
    install(arguments.environment, arguments.group, arguments.resolution)


if __name__ == "__main__":
    main()
