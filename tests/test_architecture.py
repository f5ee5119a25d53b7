"""Who may know whom, held by the imports; and what a start does not load."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

import mailgun_mcp

PACKAGE = Path(mailgun_mcp.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

SDK = {"mcp", "mcp_types"}
HTTP = {"httpx", "httpx2", "httpcore", "requests", "aiohttp"}
SERVING = {"uvicorn", "starlette", "sse_starlette"}

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "text"),
    ("settings",),
    ("catalogue", "mailgun", "store"),
    ("identity",),
    ("request",),
    ("policy",),
    ("output",),
    ("confirm",),
    ("audit", "undo"),
    ("call",),
    ("app",),
    ("web",),
    ("agent",),
    ("server",),
    ("asgi", "evals"),
    ("cli",),
    ("__main__",),
)
"""The rooms from the bottom up. A room may know those of the floors below its own, and itself."""
SIMULATOR_FLOORS: tuple[tuple[str, ...], ...] = (
    ("model",),
    ("replies",),
    ("mail", "analytics"),
    ("http",),
    ("sections", "worlds"),
    ("control",),
    ("smtp",),
    ("app", "transport"),
)
"""The same for the rooms of the simulator."""
SIMULATOR_MAY_IMPORT = {"simulator", "errors", "text", "catalogue", "request"}
KNOWS_THE_SIMULATOR = {"simulator", "cli", "app", "evals"}
SPEAKS_MCP = {"server", "cli", "evals"}
"""`cli` holds the demo, and `evals` runs other servers: both are clients."""
SPEAKS_HTTP = {"mailgun", "app", "simulator", "cli", "confirm", "web", "agent"}
"""`confirm` calls the operator's webhook, `web` the authorization server, and `agent` Slack, which are not Mailgun's."""


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Uses:
    """What a module uses, anywhere in it."""

    imported: frozenset[str]
    """Dotted names, also those for type checkers only."""
    attributes: frozenset[str]
    called: frozenset[str]
    """Names without a dot."""


@cache
def uses(path: Path) -> Uses:
    nodes = list(ast.walk(tree(path)))
    return Uses(
        frozenset(_imported(nodes, path)),
        frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        frozenset(node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)),
    )


def imported(path: Path) -> frozenset[str]:
    """Return the dotted names that the module imports."""
    return uses(path).imported


def _imported(nodes: Iterable[ast.AST], path: Path) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def ours(path: Path) -> set[str]:
    return {
        parts[1] for module in imported(path) if (parts := module.split("."))[0] == "mailgun_mcp" and len(parts) > 1
    }


def others(path: Path) -> set[str]:
    return {root for module in imported(path) if (root := module.split(".")[0]) != "mailgun_mcp"}


def where(offends: Callable[[Path], object]) -> list[str]:
    return [name(path) for path in MODULES if offends(path)]


def test_the_modules_are_found() -> None:
    assert {part(path) for path in MODULES} >= {*SPEAKS_MCP, *SPEAKS_HTTP, *KNOWS_THE_SIMULATOR}


def below(floors: tuple[tuple[str, ...], ...]) -> dict[str, set[str]]:
    """Return the rooms that each room may know."""
    known: set[str] = set()
    may: dict[str, set[str]] = {}
    for floor in floors:
        may |= {room: {room, *known} for room in floor}
        known |= set(floor)
    return may


def upward(paths: list[Path], room_of: Callable[[Path], str], rooms_of: Callable[[Path], set[str]]) -> Iterator[str]:
    """Yield the imports that lead to a room of the same floor or one above, as sentences."""
    may = below(FLOORS if room_of is part else SIMULATOR_FLOORS)
    for path in paths:
        room = room_of(path)
        yield from (f"{name(path)} imports {other}" for other in sorted(rooms_of(path) - may.get(room, set())))


def test_every_room_has_a_floor() -> None:
    rooms = {part(path) for path in MODULES} - {"__init__", "simulator"}
    assert rooms == {room for floor in FLOORS for room in floor}


def test_imports_follow_the_data() -> None:
    def rooms_of(path: Path) -> set[str]:
        return ours(path) - {"__version__", "DISTRIBUTION", "simulator"}

    paths = [path for path in MODULES if part(path) not in ("__init__", "simulator")]
    assert list(upward(paths, part, rooms_of)) == []


def test_imports_inside_the_simulator_follow_the_data() -> None:
    def room_of(path: Path) -> str:
        return path.relative_to(PACKAGE / "simulator").parts[0].removesuffix(".py")

    def rooms_of(path: Path) -> set[str]:
        return {module.split(".")[2] for module in imported(path) if module.startswith("mailgun_mcp.simulator.")}

    paths = [path for path in MODULES if part(path) == "simulator" and path.parent != PACKAGE / "simulator"]
    assert {room_of(path) for path in paths} <= {room for floor in SIMULATOR_FLOORS for room in floor}
    assert list(upward(paths, room_of, rooms_of)) == []


def test_the_simulator_knows_only_what_the_api_is() -> None:
    def strays(path: Path) -> bool:
        return part(path) == "simulator" and bool(ours(path) - {"__version__"} - SIMULATOR_MAY_IMPORT)

    assert where(strays) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {dotted(path): path for path in MODULES}

    def module_of(imported_name: str) -> str:
        return imported_name if imported_name in modules else imported_name.rpartition(".")[0]

    graph = {
        module: {module_of(other) for other in imported(path)} & modules.keys() - {module}
        for module, path in modules.items()
        # The package offers `Toolkit`, which it imports when it is first used: see tests/app/test_toolkit.py.
        if module != "mailgun_mcp"
    }
    # Raises CycleError, which names the circle.
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def test_every_room_says_what_it_holds_and_what_it_must_not_know() -> None:
    def says_too_little(path: Path) -> bool:
        text = ast.get_docstring(tree(path)) or ""
        return path.name == "__init__.py" and path.parent != PACKAGE and not re.search(r"\b(not|nothing|only)\b", text)

    assert where(says_too_little) == []


def test_only_the_command_line_knows_the_command_line() -> None:
    assert where(lambda path: "cli" in ours(path) and part(path) not in ("cli", "__main__")) == []


def test_only_the_server_speaks_mcp() -> None:
    assert where(lambda path: SDK & others(path) and part(path) not in SPEAKS_MCP) == []


def test_only_the_command_line_and_the_start_know_the_simulator() -> None:
    assert where(lambda path: "simulator" in ours(path) and part(path) not in KNOWS_THE_SIMULATOR) == []


def test_only_the_client_and_the_hooks_speak_http() -> None:
    assert where(lambda path: HTTP & others(path) and part(path) not in SPEAKS_HTTP) == []


def test_only_the_server_and_the_simulator_serve_http() -> None:
    assert (
        where(
            lambda path: (
                SERVING & others(path)
                and part(path) not in ("server", "web", "agent", "asgi", "cli", "simulator", "evals")
            )
        )
        == []
    )


@pytest.mark.parametrize("pure", ["catalogue", "policy"])
def test_what_decides_has_no_sockets_no_clock_and_no_waiting(pure: str) -> None:
    impure = {"socket", "asyncio", "anyio", "time", "random", "secrets", "subprocess", "sqlite3"}
    assert where(lambda path: part(path) == pure and impure & others(path)) == []
    waits = (ast.Await, ast.AsyncFunctionDef)
    assert (
        where(lambda path: part(path) == pure and any(isinstance(node, waits) for node in ast.walk(tree(path)))) == []
    )


def test_only_the_settings_read_the_environment() -> None:
    def reads(path: Path) -> bool:
        attributes = {"environ", "environb", "getenv", "putenv"}
        return bool(attributes & uses(path).attributes or {"os.environ", "os.getenv"} & imported(path))

    assert where(reads) == ["settings.py"]


def test_what_is_not_in_the_wheel_is_imported_by_nothing_in_it() -> None:
    def leaks(path: Path) -> bool:
        compiler = any(module.startswith("mailgun_mcp.catalogue.compile") for module in imported(path))
        return (compiler and "compile" not in path.parts) or "docs" in others(path)

    assert where(leaks) == []


def test_nothing_prints() -> None:
    def prints(path: Path) -> bool:
        return bool({"print", "input"} & uses(path).called)

    assert where(prints) == []


def test_only_what_runs_a_command_touches_stdout() -> None:
    def writes(path: Path) -> bool:
        return "stdout" in uses(path).attributes

    assert {part(PACKAGE / path) for path in where(writes)} <= {"cli", "catalogue"}


UNLOADED = [
    *("httpx", "httpcore", "certifi", "jsonschema", "referencing", "yaml", "rich", "structlog", "uvloop"),
    *("argparse", "difflib", "sqlite3", "tomllib", "keyring", "jinja2", "psycopg", "psycopg_pool"),
    *(
        "mailgun_mcp.simulator",
        "mailgun_mcp.catalogue.compile",
        "mailgun_mcp.catalogue.compile.compiler",
        "mailgun_mcp.catalogue.openapi.operations",
        "mailgun_mcp.catalogue.openapi.extension",
    ),
    *(
        "mailgun_mcp.catalogue.openapi.documents",
        "mailgun_mcp.catalogue.openapi.schemas",
        "mailgun_mcp.catalogue.openapi.importer",
    ),
    *(
        "mailgun_mcp.server.http",
        "mailgun_mcp.asgi",
        "mailgun_mcp.web.principal",
        "mailgun_mcp.web.pages.pages",
        "mailgun_mcp.web.approvals.page",
        "mailgun_mcp.web.webhooks.worker",
        "mailgun_mcp.web.readiness",
        "mailgun_mcp.web.personal_key.page",
        "mailgun_mcp.server.own_key",
        "mailgun_mcp.call.personal_accounts",
        "mailgun_mcp.identity.personal_keys",
        "mailgun_mcp.app.personal_keys",
        "mailgun_mcp.identity.sessions",
        "mailgun_mcp.identity.tokens",
        "mailgun_mcp.cli.parser",
        "mailgun_mcp.confirm.hooks",
    ),
    *("mailgun_mcp.confirm.approvals", "mailgun_mcp.confirm.grants", "mailgun_mcp.call.secret_store"),
    *("mailgun_mcp.store.postgresql", "mailgun_mcp.store.changes", "mailgun_mcp.call.shared_secret_store"),
    *("mailgun_mcp.call.inbound_routes", "mailgun_mcp.call.takeovers"),
    *("mailgun_mcp.policy.route_overlap", "mailgun_mcp.request.route_language"),
    *("mailgun_mcp.evals.task", "mailgun_mcp.evals.runner", "mailgun_mcp.agent.http.routes"),
    *("mailgun_mcp.identity.accounts", "mailgun_mcp.identity.adoption", "mailgun_mcp.identity.fingerprint"),
    *(
        "mailgun_mcp.agent",
        "mailgun_mcp.agent.runner",
        "mailgun_mcp.agent.turn",
        "pydantic_ai",
        "prompt_toolkit",
        "matplotlib",
        "aiohttp",
        "slack_bolt",
        "slack_sdk",
        "mailgun_mcp.agent.slack",
    ),
    *("mailgun_mcp.policy.file.load", "mailgun_mcp.policy.file.schema", "mailgun_mcp.text.html_text"),
]
"""What a start has no need of. What the SDK itself loads is not ours to choose."""

START = """
import json, sys
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import Settings
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.server import stdio
from mailgun_mcp.server.server import create_server
create_server(create_services(Settings(api_key="key-0123")), Principal("ann"))
print(json.dumps(sorted(sys.modules)))
"""


def test_what_a_start_may_not_load_exists() -> None:
    assert [module for module in UNLOADED if module.startswith("mailgun_mcp.") and find_spec(module) is None] == []


def test_a_start_loads_nothing_that_it_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True, env={})
    loaded = set(json.loads(done.stdout))
    assert {"mailgun_mcp.call.pipeline", "mailgun_mcp.server.server", "mcp"} <= loaded
    assert sorted(loaded & set(UNLOADED)) == []


def test_the_first_answers_on_stdio_load_nothing_that_they_do_not_need() -> None:
    code = (
        "import json, sys, mailgun_mcp.app.compose, mailgun_mcp.server.stdio_start; "
        "from mailgun_mcp.catalogue.catalogue import Catalogue; Catalogue.load(packed=True); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    unneeded = {*UNLOADED, "mcp", "mcp_types", "pydantic", "tempfile", "shutil", "mailgun_mcp.call.pipeline"}
    assert sorted(set(json.loads(done.stdout)) & unneeded) == []


def test_a_server_over_http_loads_no_library_that_only_some_need() -> None:
    code = "import json, sys, mailgun_mcp.asgi; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert sorted(set(json.loads(done.stdout)) & {"httpx", "rich", "jsonschema", "jinja2", "yaml", "sqlite3"}) == []


def test_the_command_line_starts_the_server_without_parsing_arguments() -> None:
    code = "import json, sys, mailgun_mcp.__main__, mailgun_mcp.cli.main; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    loaded = set(json.loads(done.stdout))
    assert sorted(loaded & {*UNLOADED, "mcp", "pydantic", "anyio", "email.utils"}) == []
