"""The catalogue as a server reads it: loaded, selected from, extended, and refused when it is stale."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mailgun_mcp
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.compile.compiler import SOURCES
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.operations import compile_document
from tests.support.operations import catalogue, described, document

PACKAGE = Path(mailgun_mcp.__file__).parent


def test_a_catalogue_is_a_collection_of_its_operations() -> None:
    whole = Catalogue.load()
    assert len(whole) == len(whole.names) == len(list(whole)) == len(whole.tools()) == 238
    assert [operation.name for operation in whole] == list(whole.names)
    assert [tool["name"] for tool in whole.tools()] == list(whole.names)
    assert "send_message" in whole
    assert "sendmail" not in whole
    assert next(iter(whole)).name == "send_message"


def test_an_operation_is_made_once() -> None:
    whole = Catalogue.load()
    assert whole.find("get_domain") is whole.find("get_domain")
    with pytest.raises(KeyError):
        whole.find("get_domains")


def test_loading_twice_gives_the_same_tools_in_the_same_order() -> None:
    assert json.dumps(Catalogue.load().tools()) == json.dumps(Catalogue.load().tools())


def names(**selection: Any) -> list[str]:
    return list(catalogue().select(**selection).names)


BOUNCES = ["import_bounces", "get_bounce", "delete_bounce", "list_bounces", "add_bounces", "clear_bounces"]


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        ({"toolsets": ["bounces"]}, BOUNCES),
        ({"tools": ["get_bounce"]}, ["get_bounce"]),
        ({"toolsets": ["bounces"], "tools": ["send_message"]}, ["send_message", *BOUNCES]),
        ({"toolsets": ["bounces"], "exclude": ["clear_bounces", "add_bounces"]}, BOUNCES[:4]),
        ({"tools": ["get_bounce"], "exclude": ["get_bounce"]}, []),
        ({"toolsets": ["bounces"], "read_only": True}, ["get_bounce", "list_bounces"]),
        ({"tools": ["clear_bounces", "get_bounce"], "read_only": True}, ["get_bounce"]),
        ({"toolsets": ["bounces"], "read_only": True, "exclude": ["get_bounce"]}, ["list_bounces"]),
    ],
)
def test_toolsets_and_tools_add_up_and_exclusions_always_hold(selection: dict[str, Any], selected: list[str]) -> None:
    assert names(**selection) == selected


def test_no_selection_is_everything_and_read_only_is_every_read() -> None:
    assert names() == list(catalogue().names)
    assert names(read_only=True) == [operation.name for operation in catalogue() if operation.risk == "read"]


def test_a_selection_lists_only_the_toolsets_that_it_holds() -> None:
    assert catalogue().select(toolsets=["bounces"], tools=["send_message"]).toolsets == {
        "messages": "Messages",
        "bounces": "Bounces",
    }


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"toolsets": ["bounce"]}, "unknown toolset 'bounce': did you mean 'bounces'?"),
        ({"tools": ["send_mesage"]}, "unknown tool 'send_mesage': did you mean 'send_message'?"),
        ({"exclude": ["clear_bounce"]}, "unknown tool 'clear_bounce': did you mean 'clear_bounces'?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(selection: dict[str, Any], message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        names(**selection)
    assert str(caught.value) == message


def test_every_tool_but_the_one_that_names_its_own_gets_a_subaccount_argument() -> None:
    with_argument = catalogue().with_subaccount_argument()
    lacking = [
        operation.name for operation in with_argument if "on_behalf_of" not in operation.input_schema["properties"]
    ]
    assert lacking == ["delete_subaccount"]
    assert with_argument.find("list_domains").arguments[-1].wire == "X-Mailgun-On-Behalf-Of"
    assert with_argument.toolsets == catalogue().toolsets
    assert "on_behalf_of" not in catalogue().find("list_domains").input_schema["properties"]


def record(name: str, path: str) -> dict[str, Any]:
    (made,) = compile_document(document(described(operationId=name), path=path), "spec.yaml", "spec")
    return made


def test_a_catalogue_is_extended_by_the_operations_that_it_lacks() -> None:
    extended = catalogue().extended([record("add_thing", "/v9/things"), record("other", "/v3/routes")], "spec", "Added")
    assert list(extended.names) == [*catalogue().names, "add_thing"]
    assert list(extended.toolsets.items())[-1] == ("spec", "Added")
    assert "add_thing" not in catalogue()


def test_an_extension_takes_no_name_that_is_taken() -> None:
    with pytest.raises(CatalogueError, match="tool names already taken: send_message"):
        catalogue().extended([record("send_message", "/v9/things")], "spec", "Added")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a checkout holds."""
    shutil.copytree(PACKAGE, tmp_path / "mailgun_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SOURCES, tmp_path / "tools")
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def load_in(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from mailgun_mcp.catalogue.catalogue import Catalogue; print(len(Catalogue.load()))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def change(folder: Path) -> None:
    with (folder / "tools" / "bounces.yaml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")


def add(folder: Path) -> None:
    (folder / "tools" / "added.yaml").write_text("openapi: 3.1.0\npaths: {}\n", encoding="utf-8")


def remove(folder: Path) -> None:
    (folder / "tools" / "domains.yaml").unlink()


@pytest.mark.parametrize(("alter", "name"), [(change, "bounces"), (add, "added"), (remove, "domains")])
def test_a_stale_checkout_names_the_command(checkout: Path, alter: Callable[[Path], None], name: str) -> None:
    alter(checkout)
    loaded = load_in(checkout)
    assert loaded.returncode == 1
    assert loaded.stderr.rstrip().endswith(
        f"StaleDataError: the compiled catalogue is stale ({name}): run `python -m mailgun_mcp.catalogue.compile`"
    )


def test_a_fresh_checkout_and_an_installation_load(checkout: Path) -> None:
    assert load_in(checkout).stdout == "238\n"
    shutil.rmtree(checkout / "tools")
    (checkout / "pyproject.toml").unlink()
    assert load_in(checkout).stdout == "238\n"


def test_a_checkout_without_compiled_data_names_the_command(checkout: Path) -> None:
    empty_data(checkout)
    assert "contains no compiled catalogue: run `python -m mailgun_mcp.catalogue.compile`" in load_in(checkout).stderr


def test_an_installation_without_its_data_asks_to_be_installed_again(checkout: Path) -> None:
    empty_data(checkout)
    (checkout / "pyproject.toml").unlink()
    stderr = load_in(checkout).stderr
    assert "contains no compiled catalogue: the installation is damaged, install the package again" in stderr
    assert "mailgun_mcp.catalogue.compile" not in stderr.splitlines()[-1]


def empty_data(checkout: Path) -> None:
    shutil.rmtree(checkout / "mailgun_mcp" / "_data" / "tools")
    (checkout / "mailgun_mcp" / "_data" / "tools").mkdir()
