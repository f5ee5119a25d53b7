"""`x-mailgun-mcp` is read whole or refused with all that is wrong with it."""

import pytest

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.extension import OperationExtension, PropertyExtension, extension_of


def test_a_node_without_the_extension_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"^here: x-mailgun-mcp is missing$"):
        extension_of(PropertyExtension, {"type": "string"}, "here")


def test_an_extension_is_read() -> None:
    extension = extension_of(PropertyExtension, {"x-mailgun-mcp": {"argument": "to", "secret": True}}, "here")
    assert (extension.argument, extension.secret, extension.wire) == ("to", True, None)


def test_all_faults_are_named_at_once_with_their_keys() -> None:
    with pytest.raises(CatalogueError) as caught:
        extension_of(PropertyExtension, {"x-mailgun-mcp": {"wire": "smoke", "secrte": True}}, "here")
    assert str(caught.value).startswith("here: x-mailgun-mcp: ")
    assert "wire: " in str(caught.value)
    assert "secrte: " in str(caught.value)


def test_an_operation_without_a_risk_is_refused() -> None:
    with pytest.raises(CatalogueError, match="risk"):
        extension_of(OperationExtension, {"x-mailgun-mcp": {}}, "here")
