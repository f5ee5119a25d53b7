"""Fields that JSON has in another form."""

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mailgun_mcp.simulator.model.json_forms import BASE64, PAIRS


@pytest.mark.parametrize("given", [[[[1, ["a", "b"]], 5]], {(1, ("a", "b")): 5}], ids=["pairs", "a mapping"])
def test_pairs_become_a_mapping_whose_keys_can_be_looked_up(given: Any) -> None:
    adapter = TypeAdapter(Annotated[dict[tuple[object, ...], int], PAIRS])
    assert adapter.validate_python(given) == {(1, ("a", "b")): 5}


@pytest.mark.parametrize("given", [[[1]], [1], [[1, 2, 3]]])
def test_what_is_not_a_pair_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError, match="a pair does not have two parts"):
        TypeAdapter(Annotated[dict[int, int], PAIRS]).validate_python(given)


def test_base64_becomes_bytes() -> None:
    adapter = TypeAdapter(Annotated[bytes, BASE64])
    assert (adapter.validate_python("AP8="), adapter.validate_python(b"x")) == (b"\x00\xff", b"x")
    with pytest.raises(ValidationError):
        adapter.validate_python("not Base64")
