# SPDX-License-Identifier: Apache-2.0
"""The commands that the documents give to operators, as they stand. Those of docs/operations.md and of the runbook are run
here, on a clean Debian 12 with systemd and the package; PLACES says where each other block is run, or why it is not."""
import json
import re
import subprocess

import pytest

import ship
from conftest import ROOT, long
from machine import Machine
from service import picture, slow_picture, wait_for

HERE = "tests/ship/test_operators_commands.py::"
PLACES = {  # the first line of a block: the test that runs it, or the words of the document that say that it was not run
    "docs/operations.md": {
        "swin2sr model pull realworld-x4": HERE + "test_several_networks",
        "swin2sr device list": "tests/faults/test_gpu_faults.py::test_auto_with_two_gpus_without_fp16",
        "swin2sr key new alice": HERE + "test_keys",
        "systemctl status swin2sr": HERE + "test_the_unit",
        "apt-get install --no-install-recommends prometheus": HERE + "test_monitoring",
        "install -m 600 /dev/stdin /etc/prometheus/dingtalk-url": HERE + "test_monitoring",
        "apt-get install --no-install-recommends rsyslog": HERE + "test_shipping_logs",
        "mtail --progs": HERE + "test_shipping_logs",
        "(umask 077; echo": HERE + "test_webhooks",
        "docker run --log-driver syslog": "docker's log driver was not run here",
        "mkdir -p /backup/outputs": HERE + "test_backup_and_restore",
        "systemctl stop swin2sr": HERE + "test_backup_and_restore"},
    "docs/container.md": {
        "make image": "tests/ship/conftest.py::saved",
        "debootstrap --variant=minbase": "tests/ship/ship.py::make_base",
        "docker tag swin2sr-cloud": "a registry: not run here",
        "mkdir -p uploads outputs": "tests/ship/test_container_docs.py::test_a_block_that_runs",
        "docker run -d --name swin2sr-prod --gpus all": "None of this has been run on a GPU",
        "deploy/make_secrets.sh images.example\ndocker compose -f deploy/compose.yaml": "tests/ship/test_compose.py::running",  # the line with docker: by docker's schema, and podman
        "deploy/make_secrets.sh images.example\ndocker compose -f deploy/compose.cluster": "docker compose with MinIO and the image of NATS: not run here",
        "docker stop -t 40": "tests/ship/test_upgrade.py::test_upgrade_and_rollback_under_load"},
    "docs/runbook.md": {"URL=http": HERE + "test_the_runbook"},
    "deploy/helm/swin2sr/README.md": {
        "helm install": "tests/ship/test_chart.py::test_the_life_of_a_release",
        "kubectl create secret generic swin2sr-store": "tests/ship/test_chart.py::test_a_cluster"},  # the line of helm
}


def blocks(document):
    """The text of each block of commands."""
    return re.findall(r"^```(?:sh)?\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)


def block(beginning):
    found, = (text for text in blocks("docs/operations.md") if text.startswith(beginning))
    return found


@pytest.mark.parametrize("document", PLACES)
def test_each_block_has_its_place(document):
    left = dict(PLACES[document])
    for text in blocks(document):
        place = [beginning for beginning in PLACES[document] if text.startswith(beginning)]
        assert len(place) == 1, f"no test runs the block that begins with {text.splitlines()[0]}"
        left.pop(place[0], None)
    assert left == {}, "these blocks are no longer there"
    for place in PLACES[document].values():
        if "::" in place:
            path, function = place.split("::")
            assert f"\ndef {function}(" in (ROOT / path).read_text(), place
        else:
            assert place in (ROOT / document).read_text(), place


# ---- on a machine ----

TREE = "/root/swin2sr-cloud"
READY = {"swin2sr-server": "swin2sr healthcheck http://127.0.0.1:8080/readyz",
         "deploy/monitoring/dingtalk.py": "curl -sf http://127.0.0.1:8060/healthz", "mtail": "curl -sf http://127.0.0.1:3903/metrics"}


@pytest.fixture(scope="module")
def machine(package, tmp_path_factory):
    """With this repository in TREE, which is the folder of the commands."""
    made = None
    try:
        made = Machine(package, tmp_path_factory.mktemp("operator"), "curl iproute2 jq mtail python3 rsync")
        made.wait_ready()
        subprocess.run(f"git archive HEAD | podman exec -i {made.name} sh -c 'mkdir {TREE} && tar -C {TREE} -x'", shell=True,
                       cwd=ROOT, check=True, env=ship.ENVIRONMENT)
        made.sh("echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/90yes; ln -s /bin/cat /usr/local/bin/editor")
        yield made
    finally:
        if made:
            made.remove()


def run(machine, text, after="", check=True):
    """The lines of a block, in bash. One that serves goes to the background, and ends when all is done; after: what is done
    before that."""
    lines = ["set -euo pipefail; trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT"]
    for line in text.splitlines():
        ready = READY.get(line.split()[0])
        lines += [f"{line.split(' #')[0]} > /tmp/served 2>&1 &", f"until {ready} > /dev/null 2>&1; do kill -0 $!; sleep 0.2; done"] if ready else [line]
    return ship.podman("exec", "--workdir", TREE, "--env", "DEBIAN_FRONTEND=noninteractive", machine.name, "bash", "-c",
                       "\n".join([*lines, after]), check=check)


@long
def test_the_unit(machine):
    said = run(machine, block("systemctl status swin2sr")).stdout
    assert "active (running)" in said and "data = /var/lib/swin2sr" in said
    machine.wait_ready()


@long
def test_keys(machine):
    text = block("swin2sr key new alice")
    first, *rest = text.splitlines()
    machine.sh(f"systemctl stop swin2sr; cp {TREE}/docs/samples/coffee.png {TREE}/photo.jpg")
    run(machine, "\n".join([f"KEY=$({first.split(' #')[0]} | head -n 1)", *rest]))
    assert machine.sh(f"head -c 24 {TREE}/photo-4x.png | tail -c 8 | od -An -tx1").split() == "00 00 03 c0 00 00 02 80".split()


@long
def test_webhooks(machine):
    machine.sh("systemctl stop swin2sr")
    ask = f"curl -s -F file=@{TREE}/docs/samples/coffee.png -F webhook=https://elsewhere.example/ http://127.0.0.1:8080/v1/jobs"
    said = run(machine, block("(umask 077; echo"), ask).stdout
    assert "the host elsewhere.example is not one" in said


@long
def test_several_networks(machine):
    """The site of the published networks is not reached, so another file is imported under the name."""
    pull, serve = block("swin2sr model pull").splitlines()
    machine.sh(f"systemctl stop swin2sr; cp {TREE}/models/clean/model.safetensors /srv/portraits.safetensors")
    said = run(machine, f"{pull.replace('pull', f'import {TREE}/models/photo/model.safetensors --name')}\n{serve}",
               "curl -s http://127.0.0.1:8080/v1/models").stdout
    served = json.loads(said[said.index("{"):])
    assert [model["name"] for model in served["models"]] == ["realworld-x4", "fast", "portraits"]


@long
def test_monitoring(machine):
    machine.sh("systemctl start swin2sr")
    run(machine, block("apt-get install --no-install-recommends prometheus"))
    wait_for("targets", lambda: {row["metric"]["job"] for row in asked(machine, "query?query=up==1")["result"]} == {
        "swin2sr", "prometheus", "alertmanager"})
    wait_for("Alertmanager", lambda: len(asked(machine, "alertmanagers")["activeAlertmanagers"]) == 1)
    said = run(machine, block("install -m 600 /dev/stdin"), "cat /tmp/served")
    assert '"is_signed": true' in said.stdout
    link = re.search(r"`(sed -i '[^`]*runbook[^`]*)`", (ROOT / "docs/operations.md").read_text())[1]
    run(machine, f"cd /etc/prometheus\n{link}\npromtool check rules rules.yml\ngrep -q https://HOST/runbook.md#swin2srdown rules.yml")


def asked(machine, path):
    answer = subprocess.run(["nsenter", "-t", machine.pid, "-n", "curl", "-s", f"http://127.0.0.1:9090/api/v1/{path}"],
                            capture_output=True, text=True).stdout
    return json.loads(answer)["data"] if answer.startswith("{") else {"result": [], "activeAlertmanagers": []}  # it starts


@long
def test_shipping_logs(machine):
    """The lines of the service, and of a log of nginx."""
    machine.sh("systemctl stop swin2sr")
    run(machine, block("apt-get install --no-install-recommends rsyslog"),
        "until grep -q worker_ready /var/log/swin2sr/swin2sr-server.log; do sleep 0.2; done 2> /dev/null")
    kept = machine.sh("cat /var/log/swin2sr/swin2sr-server.log").splitlines()
    assert [json.loads(line)["event"] for line in kept][0] == "listening"
    line = '{"event":"gateway","code":503,"upstream_code":"502"}'
    said = run(machine, f"echo '{line}' > /var/log/swin2sr/nginx.log\n{block('mtail')}",
               f"until curl -s http://127.0.0.1:3903/metrics | grep '^nginx_answers_total{{'; do echo '{line}' >> /var/log/swin2sr/nginx.log; sleep 1; done")
    assert 'upstream_code="502"' in said.stdout
    run(machine, "logrotate --force /etc/logrotate.d/swin2sr\nls /var/log/swin2sr/swin2sr-server.log.1.gz")


@long
def test_backup_and_restore(machine, tmp_path):
    """The server runs while the backup is made; then everything is lost. What was finished is there, what was not is done."""
    machine.sh("systemctl start swin2sr")
    machine.wait_ready()
    (tmp_path / "first.png").write_bytes(picture(40, 30))
    (tmp_path / "second.png").write_bytes(slow_picture())
    done, late = (json.loads(machine.curl("/v1/jobs", "-F", f"file=@{tmp_path}/{name}.png"))["id"] for name in ("first", "second"))
    wait_for("the job", lambda: json.loads(machine.curl(f"/v1/jobs/{done}"))["status"] == "succeeded")
    machine.curl(f"/v1/jobs/{done}/result", "-o", str(tmp_path / "before.png"))
    assert json.loads(machine.curl(f"/v1/jobs/{late}"))["finished"] is None
    run(machine, block("mkdir -p /backup/outputs"))
    stop, *rest = block("systemctl stop swin2sr").splitlines()
    run(machine, "\n".join([stop, "rm -rf /var/lib/swin2sr/*", *rest]))
    machine.wait_ready()
    machine.curl(f"/v1/jobs/{done}/result", "-o", str(tmp_path / "after.png"))
    assert (tmp_path / "after.png").read_bytes() == (tmp_path / "before.png").read_bytes()
    wait_for("the other job", lambda: json.loads(machine.curl(f"/v1/jobs/{late}"))["status"] == "succeeded")
    found = [json.loads(line) for line in machine.sh("journalctl -t swin2sr-server -o cat").splitlines() if "jobs_found" in line]
    assert (found[-1]["to_do"], found[-1]["finished"]) == (1, 1)


@long
def test_the_runbook(machine):
    """What to do first, of each alert: no program is missing, none complains, and lines of the log can be read."""
    machine.sh("systemctl start swin2sr")
    machine.wait_ready()
    prepare, = blocks("docs/runbook.md")
    firsts = re.findall(r"^- \*\*First\*\*: (.*)$", (ROOT / "docs/runbook.md").read_text(), re.M)
    commands = [command for first in firsts for command in re.findall(r"`([^`]+)`", first)
                if " " in command and not command.startswith("docker ") and "//NATS:" not in command]
    assert len(commands) > 20
    for command in commands:
        said = run(machine, f"set +e\ncd /etc/prometheus\n{prepare}{command.replace('FOLDER', '/var/lib/swin2sr')}", check=False)
        is_right = said.stderr == "" or (command == "swin2sr device list" and "no Vulkan here" in said.stderr)
        assert said.returncode in (0, 1) and is_right, (command, said.stderr)
