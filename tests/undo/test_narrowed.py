"""What a call narrows is found by comparing what is there with what it writes; tests/attacks has the attacks."""

from mailgun_mcp.undo.narrowed import Narrowed
from mailgun_mcp.undo.records import ResourceRef
from tests.support.operations import find


def ref(address: str) -> ResourceRef:
    return ResourceRef("unsubscribe", (("domain", "mg.example.com"),), address)


def test_a_person_reads_the_first_narrowed_resources_and_how_many_more_there_are() -> None:
    addresses = [f"p{number}@example.org" for number in range(7)]
    arguments = {"unsubscribes": [{"address": address, "tags": ["news"]} for address in addresses]}
    narrowed = Narrowed(find("add_unsubscribes"), arguments)
    for address in addresses:
        narrowed.add(ref(address), {"address": address, "tags": ["*"]})
    assert narrowed.lines == [
        *(f"Narrowed: unsubscribe {address}, tags: *. From now on: news." for address in addresses[:5]),
        "2 more are narrowed.",
    ]
    assert [item.risk for item in narrowed.raises] == ["destructive"]


def test_other_resources_and_other_operations_are_not_compared() -> None:
    narrowed = Narrowed(find("add_unsubscribes"), {"unsubscribes": [{"address": "a@example.org", "tags": ["news"]}]})
    narrowed.add(ref("b@example.org"), {"address": "b@example.org", "tags": ["*"]})
    narrowed.add(ResourceRef("bounce", (), "a@example.org"), {"address": "a@example.org"})
    assert (narrowed.raises, narrowed.lines) == ((), [])
    other = Narrowed(find("add_bounces"), {"bounces": [{"address": "a@example.org"}]})
    other.add(ref("a@example.org"), {"tags": ["*"]})
    assert other.raises == ()
