# SPDX-License-Identifier: Apache-2.0
"""What deploy/monitoring and the documents say of metrics, alerts and log lines agrees with the source and with each other.
tests/ship/test_monitoring.py provokes each alert by a real fault."""
import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

import log_events


@pytest.fixture(scope="module")
def monitoring(root):
    return root / "deploy/monitoring"


@pytest.fixture(scope="module")
def rules(monitoring):
    groups = yaml.safe_load((monitoring / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def alerts(rules):
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


@pytest.fixture(scope="module")
def operations(root):
    return (root / "docs/operations.md").read_text()


@pytest.fixture(scope="module")
def schema(monitoring):
    return json.loads((monitoring / "log.schema.json").read_text())


@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")])
def test_prometheus_takes_the_rules(monitoring, arguments):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    checked = subprocess.run(["promtool", *arguments], cwd=monitoring, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_is_tested_and_explained(root, monitoring, alerts):
    tested = (monitoring / "rules.test.yml").read_text()
    sections = re.findall(r"^### (\w+)$", (root / "docs/runbook.md").read_text(), re.M)
    assert sorted(sections) == sorted(alerts)
    for name, alert in alerts.items():
        assert re.search(rf'alertname[=:] ?"?{name}\b', tested), f"{name} has no unit test"
        assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"}), name
        notes = alert["annotations"]
        assert notes["summary"] and notes["description"], name
        assert notes["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_each_section_of_the_runbook_is_complete(root, alerts):
    text = (root / "docs/runbook.md").read_text()
    parts = ["Means", "Users see", "First", "Do", "Ends"]
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        section = section.split("\n## ")[0]
        name = section.split("\n")[0]
        assert re.findall(r"^- \*\*([\w ]+)\*\*: \S", section, re.M) == parts, name
        assert set(re.findall(r"\bSwin2sr[A-Z]\w+", section)) <= set(alerts), name


def documented_metrics(operations):
    table = operations.split("## Metrics")[1].split("\n## ")[0]
    return set(re.findall(r"`((?:swin2sr|process)_\w+?)(?:_\.\.\.)?`", table))


def metrics_in(expression):
    """Those of the server, without the endings of a histogram."""
    names = re.findall(r"(?<![:\w])(?:swin2sr|process)_\w+(?!:)\b", expression)
    return {re.sub(r"(_seconds)_(bucket|count|sum)$", r"\1", name) for name in names}


def test_rules_ask_for_metrics_that_exist(rules, operations):
    asked = set().union(*(metrics_in(rule["expr"]) for rule in rules))
    assert len(asked) > 20
    assert sorted(asked - documented_metrics(operations)) == []


def test_rules_ask_for_rules_that_exist(rules):
    recorded = {rule["record"] for rule in rules if "record" in rule}
    asked = set(re.findall(r"\b\w+:swin2sr_\w+:\w+", " ".join(rule["expr"] for rule in rules)))
    assert asked and sorted(asked - recorded) == []


def test_names_of_inhibited_alerts_exist(monitoring, alerts):
    named = re.findall(r"[A-Z]\w+", " ".join(re.findall(r'alertname[!=~]+"([^"]+)"',
                                                       (monitoring / "alertmanager.yml").read_text())))
    assert named and sorted(set(named) - set(alerts)) == []


def test_the_schema_has_the_events_of_the_source(root, schema):
    """Each event, its levels, and its fields with their types, whether they are always there or not."""
    jsonschema.Draft202012Validator.check_schema(schema)
    expected = log_events.logged(root)
    definitions = schema["$defs"]
    listed = [entry["$ref"].rsplit("/", 1)[1] for entry in schema["oneOf"]]
    assert sorted(listed) == sorted(expected)
    sample = {"string": "a", "integer": -1, "number": 0.5, "boolean": True, "null": None}
    for name, event in expected.items():
        known = definitions[name]
        fields = {field for field in known["properties"]} - {"time", "level", "event"}
        assert set(known["properties"]["level"]["enum"]) == event["levels"], name
        assert fields == set(event["fields"]), name
        assert set(known["required"]) == event["required"] | {"time", "level", "event"}, name
        assert known["additionalProperties"] is False
        for field, kinds in event["fields"].items():
            validator = jsonschema.Draft202012Validator({**known["properties"][field], "$defs": definitions})
            for kind in set(sample) - set(kinds if isinstance(kinds, list) else [kinds]):
                if (kind, kinds) != ("integer", "number"):
                    assert not validator.is_valid(sample[kind]), f"{name}.{field} may be {kind}"


def test_the_events_are_documented(operations, schema):
    table = operations.split("\n## Logs")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`\w.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == {entry["$ref"].rsplit("/", 1)[1] for entry in schema["oneOf"]}
