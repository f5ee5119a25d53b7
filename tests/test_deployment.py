"""The files that people deploy with: each name in them is one that the program knows."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from mailgun_mcp.identity.access import PREFIX, SCOPES
from mailgun_mcp.settings import OPTIONS, Settings, env_name
from mailgun_mcp.web.metrics import Metrics
from mailgun_mcp.web.readiness import BOUND
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SETTINGS = {env_name(name) for name in OPTIONS} | {"MAILGUN_MCP_CONFIG"}
OUTSIDE = {"MAILGUN_MCP_PUBLIC_HOST"}
"""Of compose.yaml itself."""


def metric_names() -> set[str]:
    """Return the names of all series that /metrics can have."""
    services = recorded_services(Recorder(), policy=policy("extends: guarded\nsend: {recipients_per_hour: 1}\n"))
    names: set[str] = set()
    for family in Metrics(services).registry.collect():
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}
        names |= {family.name + ending for ending in endings.get(family.type, [""])}
    return names


def queries() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text(encoding="utf-8"))
    of_panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    of_variables = [str(variable["query"]) for variable in dashboard["templating"]["list"]]
    return of_panels + of_variables + [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]


def test_each_query_of_dashboard_and_alerts_names_metrics_that_exist() -> None:
    used = {name for query in queries() for name in re.findall(r"mailgun_mcp_\w+", query)}
    assert used - metric_names() == set()
    assert len(used) >= 8
    assert "mailgun_mcp_database_connections" in used


def test_each_label_of_a_query_is_one_that_the_metrics_have() -> None:
    labels = {"account", "tool", "risk", "decision", "outcome", "method", "status", "state", "quantile", "le", "job"}
    for query in queries():
        named = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", query)
        grouped = [label for group in re.findall(r"by \(([^)]*)\)", query) for label in re.split(r",\s*", group)]
        assert set(named) | set(grouped) <= labels, query


def test_an_alert_on_a_single_event_notices_the_first_one_too() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text(encoding="utf-8"))
    expressions = [str(rule["expr"]) for group in alerts["groups"] for rule in group["rules"]]
    single = [found for text in expressions if (found := re.match(r"increase\((\S+)\[(\w+)\]\) > 0", text))]
    assert len(single) == 2
    for found in single:
        # A series begins with its first event, and `increase` counts from there.
        series, window = found.groups()
        assert f"or ({series} unless {series} offset {window}) > 0" in " ".join(found.string.split())


def test_every_panel_has_a_place_of_its_own() -> None:
    panels: list[Any] = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)


def test_each_setting_and_scope_in_the_files_is_one_of_the_program() -> None:
    for path in [*ROOT.glob("*ompose.yaml"), *ROOT.glob("Dockerfile"), *DEPLOY.rglob("*.y*ml")]:
        text = path.read_text(encoding="utf-8")
        settings = set(re.findall(r"\bMAILGUN_(?:MCP|API)_[A-Z_]+\b", text))
        assert settings - SETTINGS - OUTSIDE == set(), path
        for scopes in re.findall(r"--scopes ([\w,]+)", text):
            assert {PREFIX + scope for scope in scopes.split(",")} <= set(SCOPES), path


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return document


def kubernetes() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "kubernetes" / "mailgun-mcp.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_compose_refers_to_what_it_defines() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert set(service.get("depends_on", {})) <= set(document["services"]), name
        assert set(service.get("secrets", [])) <= set(document["secrets"]), name
        mounts = [mount.split(":")[0] for mount in service.get("volumes", [])]
        assert {mount for mount in mounts if "/" not in mount} <= set(document["volumes"]), name
        for path in (mount for mount in mounts if mount.startswith("./")):
            assert (ROOT / path).is_file(), path


def test_the_servers_of_compose_can_do_as_little_as_they_need() -> None:
    for name in ("server", "simulator"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "ports" not in service
    assert compose()["services"]["simulator"]["profiles"] == ["simulator"]
    assert "profiles" not in compose()["services"]["server"]
    assert compose()["services"]["database"]["image"].startswith("postgres:17")


def test_a_server_has_longer_to_end_than_its_calls() -> None:
    limit = Settings().drain_timeout
    pod = kubernetes()["Deployment"]["spec"]["template"]["spec"]
    assert int(compose()["services"]["server"]["stop_grace_period"].removesuffix("s")) > limit
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > limit + before


def test_the_pods_are_those_that_the_rest_selects() -> None:
    parts = kubernetes()
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Service"]["spec"]["selector"] == labels
    for kind, key in (
        ("Deployment", "selector"),
        ("PodDisruptionBudget", "selector"),
        ("NetworkPolicy", "podSelector"),
    ):
        assert parts[kind]["spec"][key]["matchLabels"] == labels
    assert parts["PodDisruptionBudget"]["spec"]["minAvailable"] < parts["Deployment"]["spec"]["replicas"]


def test_the_pod_is_as_locked_down_as_the_container() -> None:
    pod = kubernetes()["Deployment"]["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 65532)
    context = pod["containers"][0]["securityContext"]
    assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 65532", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile


def test_a_database_that_is_away_restarts_no_container() -> None:
    (container,) = kubernetes()["Deployment"]["spec"]["template"]["spec"]["containers"]
    probes = {name: container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert {name: probe["httpGet"]["path"] for name, probe in probes.items()} == {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }
    for name in ("startupProbe", "readinessProbe"):
        assert probes[name]["timeoutSeconds"] > BOUND
