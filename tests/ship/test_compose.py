# SPDX-License-Identifier: Apache-2.0
"""deploy/compose.yaml and compose.cluster.yaml: their schema and what they refer to; and the services of the first, started
one by one from the same settings, where Debian has their programs. Docker itself, Grafana and the images of Docker Hub: not
run here. What the second is made of is run by tests/cluster."""
import ipaddress
import json
import re
import shutil
import subprocess
import time

import jsonschema
import pytest
import requests
import yaml

import ship
from conftest import BUILD, ROOT, long
from service import picture, wait_for
from ship import NAME, podman, said

FILE = ROOT / "deploy/compose.yaml"
CLUSTER = ROOT / "deploy/compose.cluster.yaml"
SCHEMA = "/usr/lib/python3/dist-packages/compose/config/compose_spec.json"  # of Debian's docker-compose
# What stands in for an image of Docker Hub: the program of a Debian package. The image of rsyslog and mtail is built.
PROGRAMS = {"nginx": ["nginx", "-g", "daemon off;"], "prometheus": ["prometheus"],
            "alertmanager": ["prometheus-alertmanager"], "dingtalk": []}
LOGS = ("rsyslog", "mtail")


@pytest.fixture(scope="module")
def project():
    return yaml.safe_load(FILE.read_text())


@pytest.fixture(params=[FILE, CLUSTER], ids=lambda file: file.name)
def either(request):
    return yaml.safe_load(request.param.read_text()), request.param


def mounts(service):
    """[(source, target, options)]"""
    return [(*volume.split(":"), "rw")[:3] for volume in service.get("volumes", [])]


def test_the_version_is_that_of_the_program(either, version):
    project, _ = either
    assert project["services"]["swin2sr"]["image"] == f"swin2sr-cloud:${{SWIN2SR_VERSION:-{version}}}"


def test_what_it_refers_to_exists(either):
    project, _ = either
    secrets = (ROOT / "deploy/make_secrets.sh").read_text()
    for secret in project["secrets"].values():
        assert secret["file"].removeprefix("./") in secrets
    for service in project["services"].values():
        for source, _, options in mounts(service):
            if source.startswith("./"):
                assert (FILE.parent / source).exists() or source == "./monitoring/grafana", source  # may have no dashboard
                assert options == "ro"
            else:
                assert source in project["volumes"]
        assert service["restart"] == "unless-stopped"


def test_the_parts_of_a_cluster_name_each_other():
    """The queue, the store and the gateway, by their names and addresses in the file; and settings that the server has."""
    project = yaml.safe_load(CLUSTER.read_text())
    services = project["services"]
    told = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in services["swin2sr"]["environment"].items()}
    printed = subprocess.run([BUILD / "swin2sr-server", "--print-config"], check=True, capture_output=True, text=True).stdout
    settings = set(re.findall(r"^(?:# )?([a-z0-9-]+) =", printed, re.M))
    assert {name.removeprefix("SWIN2SR_").lower().replace("_", "-") for name in told} <= settings
    queue = [name for name in services if name.startswith("nats-")]
    assert told["SWIN2SR_NATS"] == ",".join(f"nats://{name}:4222" for name in queue)
    conf = (ROOT / "deploy/nats/nats.conf").read_text()
    assert re.findall(r'"nats://([\w-]+):6222"', conf) == queue and "sync_interval: always" in conf
    assert [services[name]["environment"]["NATS_NAME"] for name in queue] == queue
    assert told["SWIN2SR_CLUSTER"].startswith("s3:http://minio:9000/swin2sr/")
    assert "mkdir -p /data/swin2sr " in services["minio"]["entrypoint"][2]
    gateway = services["nginx"]["networks"]["swin2sr"]["ipv4_address"]
    subnet, = project["networks"]["swin2sr"]["ipam"]["config"]
    assert told["SWIN2SR_TRUSTED_PROXIES"] == gateway
    assert ipaddress.ip_address(gateway) in ipaddress.ip_network(subnet["subnet"])
    assert ipaddress.ip_address(gateway) not in ipaddress.ip_network(subnet["ip_range"]), "another container could have it"


@long
def test_schema(either, tmp_path):
    """By the schema that Debian's docker-compose has, and as that program itself reads the file."""
    project, file = either
    if not shutil.which("docker-compose"):
        pytest.skip("Debian's docker-compose is not installed")
    jsonschema.validate(project, json.load(open(SCHEMA)))
    read = subprocess.run(["docker-compose", "-f", file, "config"], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    wrong = json.loads(json.dumps(project))
    wrong["services"]["nginx"]["restrat"] = "always"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json.load(open(SCHEMA)))


# ---- as containers ----


@pytest.fixture(scope="module")
def peers():
    """An image with Debian's nginx, Prometheus and Alertmanager."""
    name = "localhost/swin2sr-ship-peers:bookworm"
    ship.make_base(ship.BUILD / "ship")
    if not ship.has_image(name):
        ship.run("buildah", "bud", "--layers=false", "--tag", name, "-", input=(
            f"FROM {ship.BASE}\nRUN apt-get update && apt-get install -y --no-install-recommends nginx-light prometheus "
            "prometheus-alertmanager python3 && rm -rf /var/lib/apt/lists/*\n"))
    return name


@pytest.fixture(scope="module")
def logs():
    """The image of deploy/monitoring/Containerfile."""
    name = f"localhost/{NAME}-logs"
    ship.make_base(ship.BUILD / "ship")
    ship.run("buildah", "bud", "--build-arg", f"DEBIAN={ship.BASE}", "--tag", name, ROOT / "deploy/monitoring")
    yield name
    podman("rmi", "--force", name, check=False)


@pytest.fixture(scope="module")
def running(project, image, peers, logs, tmp_path_factory):
    """{service: container} of the services of the file, in its network, with secrets from make_secrets.sh."""
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copytree(FILE.parent, folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
    shutil.copy(ROOT / "meson.build", folder)
    tools = folder / "tools"
    tools.mkdir()
    (tools / "docker").write_text('#!/bin/sh\nexec podman "$@"\n')
    (tools / "docker").chmod(0o755)
    made = subprocess.run([folder / "deploy/make_secrets.sh"], capture_output=True, text=True, env={
        **ship.ENVIRONMENT, "PATH": f"{tools}:{ship.ENVIRONMENT['PATH']}", "SWIN2SR_IMAGE": image})
    assert made.returncode == 0, made.stderr
    network = f"{NAME}-net"
    subnet, = project["networks"]["swin2sr"]["ipam"]["config"]
    podman("network", "create", "--subnet", subnet["subnet"], network)
    names = {"key": re.search(r"^(swin2sr_[0-9a-f]+)$", made.stdout, re.M)[1], "folder": folder / "deploy"}
    try:
        for name, service in project["services"].items():
            what = {"swin2sr": [image], **dict.fromkeys(LOGS, [logs])}
            what |= {peer: ["--entrypoint", "[]", peers, *program] for peer, program in PROGRAMS.items()}
            if name in what:
                names[name] = start(name, service, project, folder / "deploy", network, what[name])
        yield names
    finally:
        for name in project["services"]:
            podman("rm", "--force", "--time", 5, f"{NAME}-{name}", check=False)
        podman("network", "rm", "--force", network, check=False)
        for volume in project["volumes"]:
            podman("volume", "rm", "--force", f"{NAME}-{volume}", check=False)


def start(name, service, project, deploy, network, what):
    """The service as `podman run`, with every key of the file that matters to a container. podman has no log driver for
    syslog. rsyslog has a loopback of its own, and not the machine's, which may have an rsyslog."""
    known = {"image", "restart", "environment", "secrets", "volumes", "read_only", "cap_drop", "cap_add", "security_opt",
             "mem_limit", "stop_grace_period", "networks", "ports", "tmpfs", "depends_on", "command", "user", "build", "logging",
             "network_mode"}
    assert set(service) <= known
    arguments = ["--detach", "--name", f"{NAME}-{name}", "--restart", service["restart"]]
    networks = service.get("networks")
    assert networks or (name, service["network_mode"]) == ("rsyslog", "host")
    address = networks["swin2sr"]["ipv4_address"] if isinstance(networks, dict) else None
    arguments += ["--network", network, "--network-alias", name, *(["--ip", address] if address else [])]
    for key, value in service.get("environment", {}).items():
        arguments += ["--env", f"{key}={value}"]
    for secret in service.get("secrets", []):
        secret = secret if isinstance(secret, dict) else {"source": secret}
        file = deploy / project["secrets"][secret["source"]]["file"]
        arguments += ["--volume", f"{file}:{secret.get('target', '/run/secrets/' + secret['source'])}:ro"]
    for source, target, options in mounts(service):
        source = deploy / source if source.startswith("./") else f"{NAME}-{source}"
        arguments += ["--volume", f"{source}:{target}:{options}"]
    for key, flag in (("cap_drop", "--cap-drop"), ("cap_add", "--cap-add"), ("tmpfs", "--tmpfs"),
                      ("security_opt", "--security-opt")):
        for value in service.get(key, []):
            arguments += [flag, value]
    arguments += ["--read-only"] if service.get("read_only") else []
    arguments += ["--user", service["user"]] if "user" in service else []
    arguments += ["--memory", re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["mem_limit"])] if "mem_limit" in service else []
    for port in service.get("ports", []):
        arguments += ["--publish", "127.0.0.1::" + port.rsplit(":", 1)[1]]
    podman("run", *arguments, *what, *service.get("command", []))
    return f"{NAME}-{name}"


def address_of(container, port):
    return podman("port", container, f"{port}/tcp").stdout.strip()


@long
def test_the_service_behind_the_gateway(running):
    gateway = f"https://{address_of(running['nginx'], 443)}"
    trusted = str(running["folder"] / "secrets/server.crt")

    def send(headers):
        return requests.post(gateway + "/upscale", data=picture(), verify=trusted,
                             headers={"Content-Type": "image/png", **headers})

    def is_ready():
        try:
            return requests.get(gateway + "/readyz", verify=trusted).status_code == 200
        except requests.ConnectionError:
            assert podman("inspect", "--format", "{{.State.Running}}", running["nginx"]).stdout == "true\n", said(running["nginx"])
    wait_for("readiness", is_ready)
    assert send({}).status_code == 401
    assert send({"Authorization": f"Bearer {running['key']}"}).status_code == 200
    assert requests.get(gateway + "/metrics", verify=trusted).status_code == 404
    assert '"event":"gateway"' in said(running["nginx"])


@long
def test_prometheus_sees_the_service_and_alertmanager(running):
    api = f"http://{address_of(running['prometheus'], 9090)}/api/v1"

    def up():
        try:
            rows = requests.get(api + "/query", params={"query": "up"}, timeout=10).json()["data"]["result"]
        except requests.RequestException:
            assert podman("inspect", "--format", "{{.State.Running}}", running["prometheus"]).stdout == "true\n", said(running["prometheus"])
            return None
        return {row["metric"]["job"] for row in rows if row["value"][1] == "1"} == {"swin2sr", "prometheus", "alertmanager", "nginx"}
    wait_for("all targets", up)
    managers = requests.get(api + "/alertmanagers").json()["data"]["activeAlertmanagers"]
    assert [manager["url"] for manager in managers] == ["http://alertmanager:9093/api/v2/alerts"]
    assert requests.get(api + "/rules").json()["data"]["groups"], "no rules are read"


@long
def test_the_bridge_to_dingtalk_listens(running):
    """Alertmanager's container reaches it by its name."""
    ask = "import urllib.request as u; print(u.urlopen('http://dingtalk:8060/healthz', timeout=5).status)"
    wait_for("an answer", lambda: podman("exec", running["alertmanager"], "python3", "-c", ask, check=False).stdout == "200\n")


@long
def test_lines_of_each_component_are_kept_and_counted(project, running):
    """`logger` stands in for docker's log driver. It sends what the containers have written to the address of the file."""
    tags = {}
    for name, service in project["services"].items():
        if "logging" in service:
            options = service["logging"]["options"]
            assert (service["logging"]["driver"], options["syslog-format"]) == ("syslog", "rfc5424micro")
            tags[options["tag"]] = name, re.fullmatch(r"udp://(.*):(\d+)", options["syslog-address"]).groups()
    assert set(tags) == {"swin2sr-server", "nginx", "prometheus", "alertmanager", "dingtalk"}
    gateway = f"https://{address_of(running['nginx'], 443)}"
    assert requests.get(gateway + "/v1/models", verify=str(running["folder"] / "secrets/server.crt")).status_code == 200

    def send(tag):
        name, (host, port) = tags[tag]
        podman("exec", "--interactive", running["rsyslog"], "logger", "--server", host, "--port", port, "--udp", "--rfc5424",
               "--tag", tag, input=said(running[name]) + "\n")

    def counted():  # mtail begins at the end of the first file
        send("nginx")
        time.sleep(2)
        return requests.get(api, params={"query": 'nginx_answers_total{code="200"}'}).json()["data"]["result"]
    for tag in tags:
        send(tag)
        wait_for(tag, lambda: podman("exec", running["rsyslog"], "test", "-s", f"/var/log/swin2sr/{tag}.log", check=False).returncode == 0)
    api = f"http://{address_of(running['prometheus'], 9090)}/api/v1/query"
    assert all(row["metric"]["job"] == "nginx" for row in wait_for("counts", counted))
    podman("exec", running["rsyslog"], "logrotate", "--force", "-s", "/var/log/swin2sr/.rotated", "/etc/swin2sr/logrotate.conf")
    kept = podman("exec", running["rsyslog"], "ls", "/var/log/swin2sr").stdout.split()
    assert {f"{tag}.log.1.gz" for tag in tags} <= set(kept)
