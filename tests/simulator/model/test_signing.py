"""Keys rotate at their interval; certificates are issued after a while and expire."""

from mailgun_mcp.simulator.model.signing import GENERATION, VALIDITY, Certificate, Rotation


def test_two_keys_take_turns_at_each_interval() -> None:
    rotation = Rotation(True, "1d", 100.0, since=1000.0)
    assert [rotation.active_selector(at) for at in (1000.0, 1099.0, 1100.0, 1200.0)] == ["pdk1", "pdk1", "pdk2", "pdk1"]


def test_without_rotation_only_swaps_by_hand_count() -> None:
    assert Rotation(False, "", 100.0, swaps=1).active_selector(10_000.0) == "pdk2"


def test_a_certificate_is_processed_then_active_then_expired() -> None:
    certificate = Certificate("email.d.example", 100.0, 1)
    moments = (100.0, 100.0 + GENERATION, 100.0 + GENERATION + VALIDITY)
    assert [certificate.status(at) for at in moments] == ["processing", "active", "expired"]
