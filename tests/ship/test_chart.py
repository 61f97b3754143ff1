# SPDX-License-Identifier: Apache-2.0
"""The Helm chart: values and their schema; with `make test-ship` two versions of helm, Kubernetes' own schemas, and the
pod of the StatefulSet run by podman."""
import base64
import copy
import hashlib
import json
import os
import re
import socket
import subprocess

import jsonschema
import pytest
import requests
import yaml

import ship
from conftest import BUILD, ROOT, long
from kube_api import Cluster
from service import Client, Service, wait_for

CHART = ROOT / "deploy/helm/swin2sr"
TOOLS = BUILD / "ship-tools"
# As the issue and the README of the chart give it, for a shell.
LITERAL = (r"helm install swin2sr-prod ./deploy/helm/swin2sr --set replicaCount=2 --set resources.limits.nvidia\.com/gpu=1 "
           "--set service.type=LoadBalancer --set persistence.enabled=true")
# The same for replicas that share their jobs.
SHARED = ("helm install swin2sr-prod ./deploy/helm/swin2sr --set replicaCount=3 --set cluster.enabled=true "
          "--set cluster.store=s3:https://s3.example/bucket/swin2sr --set cluster.storeSecret=swin2sr-store")
STORE = SHARED.split()[4:]
NATS = "PodDisruptionBudget Secret Service StatefulSet"  # what the three servers of NATS are made of
# Arguments of helm, and the kinds of the objects beside ConfigMap, Service and the test Pod.
VALUE_SETS = {
    "defaults": ([], "Deployment Secret"),
    "literal": (["--set", "replicaCount=2", "--set", r"resources.limits.nvidia\.com/gpu=1", "--set", "service.type=LoadBalancer",
                 "--set", "persistence.enabled=true"], "PodDisruptionBudget Secret Service StatefulSet"),
    "three": (["--set", "replicaCount=3"], "Deployment PodDisruptionBudget Secret"),
    "none": (["--set", "replicaCount=0"], "Deployment Secret"),
    "open": (["--set", "keys.enabled=false", "--set", "service.type=NodePort", "--set", "service.port=8080"], "Deployment"),
    "own-keys": (["--set", "keys.existingSecret=clients", "--set", "imagePullSecrets[0].name=acr", "--set",
                  "image.repository=registry.example/team/swin2sr-cloud", "--set", "image.tag=1.2.3"], "Deployment"),
    "settings": (["--set", "settings.max-pixels=50000000", "--set-string", "settings.log-client=yes", "--set",
                  "settings.drain-s=120", "--set", "settings.trusted-proxies=10.0.0.0/8"], "Deployment Secret"),
    "gpu": (["--set", "gpu.vendor=amd", "--set", "gpu.groups={109}", "--set", "settings.device=vulkan:1"], "Deployment Secret"),
    "ingress": (["--set", "ingress.enabled=true", "--set", "ingress.host=images.example", "--set",
                 "ingress.tlsSecret=images-tls", "--set", "ingress.className=nginx"], "Deployment Ingress Secret"),
    "scaled": (["--set", "autoscaling.enabled=true", "--set", "autoscaling.minReplicas=2"],
               "Deployment HorizontalPodAutoscaler PodDisruptionBudget Secret"),
    "scaled-kept": (["--set", "autoscaling.enabled=true", "--set", "persistence.enabled=true", "--set",
                     "persistence.storageClass=alicloud-disk-essd", "--set", "persistence.size=100Gi"],
                    "HorizontalPodAutoscaler Secret Service StatefulSet"),
    "cluster": (STORE, "Deployment PodDisruptionBudget Secret " + NATS),
    "cluster-claim": (["--set", "cluster.enabled=true", "--set", "cluster.claim=jobs", "--set", "cluster.nats.enabled=false", "--set",
                       "cluster.nats.urlSecret=queue"], "Deployment Secret"),
    "cluster-keda": ([*STORE, "--set", "keda.enabled=true", "--set", "keda.prometheus=http://prometheus.monitoring", "--set",
                      "settings.s3-region=eu-central-1"], "Deployment PodDisruptionBudget ScaledObject Secret " + NATS),
}
MODULES = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "PodDisruptionBudget": "policy/v1",
           "Ingress": "networking.k8s.io/v1", "HorizontalPodAutoscaler": "autoscaling/v2",
           "ScaledObject": "keda.sh/v1alpha1"}  # the others: v1
PACKAGES = {"ScaledObject": "@kubernetes-models/keda"}  # the others: kubernetes-models


# ---- in a second, without helm ----

@pytest.fixture(scope="module")
def schema():
    return json.loads((CHART / "values.schema.json").read_text())


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((CHART / "values.yaml").read_text())


def test_the_defaults_are_valid(schema, values):
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(values, schema)
    assert set(schema["properties"]) == {*values, "global"}


def test_the_chart_has_the_version_of_the_program(version):
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_settings_are_those_of_the_server(schema):
    """All but those that the chart sets itself."""
    printed = subprocess.run([BUILD / "swin2sr-server", "--print-config"], check=True, capture_output=True, text=True).stdout
    names = set(re.findall(r"^(?:# )?([a-z0-9-]+) =", printed, re.M))
    own = {"listen", "metrics-listen", "keys", "data", "node", "spool", "worker", "user", "cluster", "nats", "s3-credentials"}
    assert set(schema["properties"]["settings"]["properties"]) == names - own


def test_every_object_refuses_unknown_names(schema):
    """Names are free only for annotations and for what Helm itself passes on."""
    def walk(node, path):
        if node.get("type") == "object" and path not in ("global", "ingress.annotations"):
            other = node.get("additionalProperties")
            assert other is False or ("const" in other["then"] and "const" in other["else"]), path
            for name, child in node.get("properties", {}).items():
                walk(child, f"{path}.{name}".lstrip("."))
    walk(schema, "")


@pytest.mark.parametrize("name", ["amd", "nvidia"])
def test_an_unescaped_dot_is_named(schema, name):
    """What --set limits.amd.com/gpu=1 makes. For nvidia.com/gpu alone, the chart understands it."""
    wrong = {"com/gpu": 1} if name == "amd" else {"com/gpus": 1}
    fault = jsonschema.Draft7Validator(schema).iter_errors({"resources": {"limits": {name: wrong}}})
    text = " ".join(str(each.message) for each in fault)
    assert r"resources.limits.nvidia\\.com/gpu=1" in text if name == "amd" else "com/gpus" in text
    jsonschema.validate({"resources": {"limits": {"nvidia": {"com/gpu": 1}, "amd.com/gpu": 1, "nvidia.com/gpu": "2"}}}, schema)


def test_the_readme_lists_every_value(values):
    text = (CHART / "README.md").read_text()
    assert LITERAL in text and SHARED in text
    assert set(re.findall(r"^\| `([a-zA-Z]+)", text.split("## Values")[1], re.M)) == set(values)


# ---- with helm ----

@pytest.fixture(scope="module", params=["helm4", "helm3"])
def helm(request):
    def run(*arguments, is_shell=False):
        command = arguments[0].replace("helm", str(TOOLS / request.param), 1) if is_shell else [TOOLS / request.param, *arguments]
        return subprocess.run(command, shell=is_shell, cwd=ROOT, capture_output=True, text=True)
    return run


def rendered(run):
    assert run.returncode == 0, run.stderr
    return [each for each in yaml.safe_load_all(run.stdout) if each]


def of_kind(objects, kind):
    return [each for each in objects if each["kind"] == kind]


def pods_of(objects):
    """The templates, that of the service first."""
    return [each["spec"]["template"] for kind in ("Deployment", "StatefulSet") for each in of_kind(objects, kind)]


def pod_of(objects):
    return pods_of(objects)[0]


def assert_restricted(pod):
    """What the Pod Security Standard of this name demands."""
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all(set(volume) - {"name"} <= {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
               for volume in pod.get("volumes", ()))
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}


@long
def test_helm_lints_and_renders(helm):
    lint = helm("lint", "--strict", str(CHART))
    assert lint.returncode == 0 and "WARNING" not in lint.stdout, lint.stdout + lint.stderr
    for name, (arguments, kinds) in VALUE_SETS.items():
        objects = rendered(helm("template", "swin2sr-prod", str(CHART), *arguments))
        expected = sorted(["ConfigMap", "Pod", "Service", *kinds.split()])
        assert sorted(each["kind"] for each in objects) == expected, name
        assert_restricted(of_kind(objects, "Pod")[0]["spec"])
        for owner in of_kind(objects, "Deployment") + of_kind(objects, "StatefulSet"):
            pod = owner["spec"]["template"]["spec"]
            container = pod["containers"][0]
            assert pod["securityContext"]["runAsUser"] == 65532 and container["securityContext"]["readOnlyRootFilesystem"]
            assert_restricted(pod)
            assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]} | (
                {"data"} if owner["kind"] == "StatefulSet" else set()), name


@long
def test_the_line_of_the_readme(helm):
    """In a shell, which removes the backslash, and without one, which keeps it."""
    line = LITERAL.replace("helm install", "helm template")
    for run in (helm(line, is_shell=True), helm("template", *line.split()[2:])):
        objects = rendered(run)
        kept = of_kind(objects, "StatefulSet")[0]
        assert kept["spec"]["replicas"] == 2 and kept["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
        limits = kept["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert limits == {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": 1}
        service, replicas = of_kind(objects, "Service")
        assert (service["spec"]["type"], service["spec"]["sessionAffinity"]) == ("LoadBalancer", "ClientIP")
        assert replicas["spec"]["clusterIP"] == "None" and replicas["metadata"]["name"] == kept["spec"]["serviceName"]
        assert len(of_kind(objects, "PodDisruptionBudget")) == 1


@long
@pytest.mark.parametrize("wrong, told", [
    (["replicas=2"], "replicas"), (["persistence.enable=true"], "enable"), (["settings.max-pixel=1"], "max-pixel"),
    (["settings.data=/x"], "data"), (["service.type=Loadbalancer"], "LoadBalancer"), (["ingress.enabled=true"], "host"),
    (["replicaCount=two"], "replicaCount"), (["resources.limits.amd.com/gpu=1"], "needs a backslash"),
    (["resources.limits.nvidia.com/gpus=1"], "com/gpus"), (["resources.limits.memroy=1Gi"], "not a resource"),
    (["cluster.enabled=true"], "needs cluster.store with cluster.storeSecret, or cluster.claim"),
    (["cluster.enabled=true", "cluster.store=s3:https://h/b"], "needs cluster.storeSecret"),
    (["cluster.enabled=true", "cluster.store=https://h/b"], "store"),
    (["cluster.enabled=true", "cluster.claim=a", "persistence.enabled=true"], "choose one"),
    (["keda.enabled=true"], "needs cluster.enabled"),
    (["cluster.enabled=true", "cluster.claim=a", "keda.enabled=true"], "needs keda.prometheus"),
    (["cluster.enabled=true", "cluster.claim=a", "keda.enabled=true", "autoscaling.enabled=true"], "choose one")])
def test_mistakes_are_named(helm, wrong, told):
    run = helm("template", "x", str(CHART), *(part for each in wrong for part in ("--set", each)))
    assert run.returncode != 0 and told in run.stderr


@long
def test_settings_reach_the_pods(helm):
    base = ["template", "x", str(CHART)]
    plain, changed = (rendered(helm(*base, *more)) for more in ([], VALUE_SETS["settings"][0]))
    text = of_kind(changed, "ConfigMap")[0]["data"]["server.ini"]
    assert text.splitlines() == ["[server]", "drain-s = 120", "log-client = yes", "max-pixels = 50000000",
                                 "trusted-proxies = 10.0.0.0/8"]
    sums = [pod_of(each)["metadata"]["annotations"]["checksum/config"] for each in (plain, changed)]
    assert sums[0] != sums[1]
    assert [pod_of(each)["spec"]["terminationGracePeriodSeconds"] for each in (plain, changed)] == [50, 140]
    assert of_kind(changed, "ConfigMap")[0]["metadata"]["name"] == "x-swin2sr"


def environment_of(pod):
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in pod["spec"]["containers"][0]["env"]}


@long
def test_a_cluster(helm):
    """The line of the README: what the pods are told, and that client, password and routes of NATS agree."""
    objects = rendered(helm(SHARED.replace("helm install", "helm template"), is_shell=True))
    service, queue = pods_of(objects)
    told = environment_of(service)
    assert told["SWIN2SR_CLUSTER"] == "s3:https://s3.example/bucket/swin2sr" and told["SWIN2SR_DATA"] == "/data"
    assert told["SWIN2SR_S3_CREDENTIALS"] == "/etc/swin2sr-store/credentials" and "SWIN2SR_NODE" not in told
    assert told["SWIN2SR_NATS"] == {"secretKeyRef": {"name": "swin2sr-prod-nats", "key": "url"}}
    volumes = {each["name"]: each for each in service["spec"]["volumes"]}
    assert volumes["data"]["emptyDir"] == {"sizeLimit": "10Gi"} and volumes["store"]["secret"]["secretName"] == "swin2sr-store"
    secret = next(each for each in of_kind(objects, "Secret") if each["metadata"]["name"] == "swin2sr-prod-nats")["stringData"]
    hosts = [f"swin2sr-prod-nats-{i}.swin2sr-prod-nats" for i in range(3)]
    assert secret["url"] == ",".join(f"nats://swin2sr:{secret['password']}@{host}:4222" for host in hosts)
    assert all(f'"nats://swin2sr:{secret["password"]}@{host}:6222"' in secret["nats.conf"] for host in hosts)
    assert secret["nats.conf"].count(f'password: "{secret["password"]}"') == 2 and "sync_interval: always" in secret["nats.conf"]
    kept = of_kind(objects, "StatefulSet")[0]["spec"]
    assert kept["replicas"] == 3 and kept["serviceName"] == "swin2sr-prod-nats"
    service_labels = of_kind(objects, "Service")[-1]["spec"]["selector"], queue["metadata"]["labels"]
    assert not service_labels[0].items() <= service_labels[1].items(), "clients must not be sent to NATS"


@long
def test_a_cluster_on_a_claim(helm):
    objects = rendered(helm("template", "x", str(CHART), *VALUE_SETS["cluster-claim"][0]))
    pod = pod_of(objects)
    assert environment_of(pod)["SWIN2SR_CLUSTER"] == "folder:/jobs"
    assert environment_of(pod)["SWIN2SR_NATS"] == {"secretKeyRef": {"name": "queue", "key": "url"}}
    assert {"name": "jobs", "persistentVolumeClaim": {"claimName": "jobs"}} in pod["spec"]["volumes"]


@long
def test_keda(helm):
    objects = rendered(helm("template", "swin2sr-prod", str(CHART), *VALUE_SETS["cluster-keda"][0]))
    spec = of_kind(objects, "ScaledObject")[0]["spec"]
    deployment = of_kind(objects, "Deployment")[0]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
    assert "replicas" not in deployment["spec"], "an upgrade would undo what KEDA has chosen"
    trigger, = spec["triggers"]
    assert (trigger["type"], trigger["metricType"], trigger["metadata"]["threshold"]) == ("prometheus", "Value", "30")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 50 and pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


@long
def test_the_metric_of_keda_is_told(helm, tmp_path):
    """By a server: a name that no server has would never add a replica."""
    objects = rendered(helm("template", "x", str(CHART), *VALUE_SETS["cluster-keda"][0]))
    query = of_kind(objects, "ScaledObject")[0]["spec"]["triggers"][0]["metadata"]["query"]
    with Service(tmp_path, "--data", str(tmp_path / "a"), "--cluster", f"folder:{tmp_path / 'jobs'}", "--models", "fast") as server:
        names = {line.split("{")[0].split(" ")[0] for line in requests.get(server.url + "/metrics").text.splitlines()}
    assert re.search(r"swin2sr_\w+", query)[0] in names


@long
def test_notes():
    """helm 4 prints them for an installation without a cluster as well."""
    def notes_of(*arguments):
        run = subprocess.run([TOOLS / "helm4", "install", "swin2sr-prod", CHART, "--dry-run=client", *arguments],
                             capture_output=True, text=True)
        return run.stdout.split("NOTES:")[1]

    notes = notes_of(*VALUE_SETS["literal"][0])
    assert "status.loadBalancer" in notes and "swin2sr-prod-keys" in notes and "another replica answers 404" in notes
    assert "not used" in notes and "backslash" not in notes
    unescaped = notes_of("--set", "resources.limits.nvidia.com/gpu=1")
    assert r"--set 'resources.limits.nvidia\.com/gpu=1'" in unescaped and "switches them on" in unescaped
    assert "any of them does any job" in notes_of(*STORE)


@long
def test_the_life_of_a_release(helm, tmp_path, monkeypatch):
    """The line of the README and what an operator does then, with a stand-in for the API server."""
    cluster = Cluster()
    (tmp_path / "config").write_text(yaml.safe_dump(cluster.kubeconfig()))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    in_default = "/namespaces/default/"

    def run(line):
        ended = helm(line, is_shell=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def kept():
        pod = cluster.objects[f"/apis/apps/v1{in_default}statefulsets/swin2sr-prod"]["spec"]["template"]
        return cluster.objects[f"/api/v1{in_default}secrets/swin2sr-prod-keys"]["data"], pod["spec"]["terminationGracePeriodSeconds"]

    try:
        notes = run(LITERAL)
        secret, seconds = kept()
        command = re.search(r"KEY=\$\((.*)\)$", notes, re.M)[1].replace("kubectl", str(TOOLS / "kubectl"))
        key = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
        assert json.loads(base64.b64decode(secret["keys"]))["sha256"] == hashlib.sha256(key.encode()).hexdigest()
        assert seconds == 50 and re.fullmatch(r"swin2sr_[0-9a-f]{64}", key)
        run("helm upgrade swin2sr-prod ./deploy/helm/swin2sr --reuse-values --set settings.drain-s=60")
        assert kept() == (secret, 80)  # the clients' key stays
        run("helm rollback swin2sr-prod 1")
        assert kept() == (secret, 50)
        assert "swin2sr-prod-keys" in run("helm get notes swin2sr-prod")
        run("helm uninstall swin2sr-prod")
        assert cluster.objects == {}
    finally:
        cluster.close()


def kubernetes_faults(folder, objects):
    """What the compiler finds in the objects as literals of Kubernetes' types, and what the schemas find."""
    folder.mkdir()
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    rows, source = [], []
    for i, each in enumerate(objects):
        module = "/".join([PACKAGES.get(each["kind"], "kubernetes-models"), MODULES.get(each["kind"], "v1"), each["kind"]])
        rows.append({"name": f"{each['kind']} {i}", "module": module, "object": each})
        source.append(f'import {{ I{each["kind"]} as T{i} }} from "{module}";\n'
                      f"export const object{i}: T{i} = {json.dumps(each)};\n")
    (folder / "objects.json").write_text(json.dumps(rows))
    (folder / "objects.ts").write_text("".join(source))
    types = subprocess.run(["node", TOOLS / "node_modules/typescript/bin/tsc", "--noEmit", "--skipLibCheck", "--strict", "--module",
                            "nodenext", "--moduleResolution", "nodenext", folder / "objects.ts"], capture_output=True, text=True)
    schemas = subprocess.run(["node", ROOT / "tests/ship/check_kubernetes.cjs", folder], capture_output=True, text=True)
    assert schemas.stderr == ""
    return types.stdout, schemas.stdout


@long
def test_the_objects_are_those_of_kubernetes(tmp_path):
    objects = []
    for arguments, _ in VALUE_SETS.values():
        objects += rendered(subprocess.run([TOOLS / "helm4", "template", "swin2sr-prod", CHART, *arguments],
                                           capture_output=True, text=True))
    assert kubernetes_faults(tmp_path / "right", objects) == ("", "")
    kept = rendered(subprocess.run([TOOLS / "helm4", "template", "x", CHART, *VALUE_SETS["scaled-kept"][0]], capture_output=True,
                                   text=True))[-2:]
    unknown, wrong = copy.deepcopy(kept), copy.deepcopy(kept)
    pod_of(unknown)["spec"]["terminationGraceSeconds"] = 1
    pod_of(wrong)["spec"]["containers"][0]["resources"]["limits"]["memory"] = "much"
    assert "terminationGraceSeconds" in kubernetes_faults(tmp_path / "unknown", unknown)[0]
    assert "resources/limits/memory" in kubernetes_faults(tmp_path / "wrong", wrong)[1]


@long
def test_make_chart(tmp_path, version):
    out = tmp_path / "build" / "chart"
    subprocess.run([ROOT / "tools/make_chart.sh"], check=True, capture_output=True,
                   env={**os.environ, "BUILD": str(tmp_path / "build"), "HELM": str(TOOLS / "helm4")})
    index = yaml.safe_load((out / "index.yaml").read_text())
    entry = index["entries"]["swin2sr"][0]
    assert entry["version"] == version and (out / entry["urls"][0]).exists()
    with served(out) as url:  # as `helm repo add` does
        env = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c"), "XDG_CONFIG_HOME": str(tmp_path / "d")}
        for arguments in (["repo", "add", "swin2sr", url], ["template", "x", "swin2sr/swin2sr"]):
            run = subprocess.run([TOOLS / "helm4", *arguments], env=env, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr


class served:
    """A static web server for a folder."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["/usr/bin/python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory",
                                         str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        port = re.search(r"port (\d+)", self.process.stdout.readline())[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *what):
        self.process.kill()
        self.process.wait()


# ---- the pod of the StatefulSet, run by podman, which knows no StatefulSet ----

def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def playable(objects, image, folder, ports):
    """What the controller and the node would add to the pod: number, volume, addresses. podman 4.3 mounts neither a
    Secret nor a claim whose files belong to the group of the pod, so a ConfigMap and a folder take their places."""
    template, secret = copy.deepcopy(pod_of(objects)), of_kind(objects, "Secret")[0]
    template["metadata"] |= {"name": "swin2sr-prod-0"}
    template["metadata"]["labels"]["apps.kubernetes.io/pod-index"] = "0"
    spec, container = template["spec"], template["spec"]["containers"][0]
    container["image"] = image
    container["resources"]["limits"].pop("nvidia.com/gpu")
    for port in container["ports"]:
        port |= {"hostIP": "127.0.0.1", "hostPort": ports[port["name"]]}
    spec["volumes"] = [each for each in spec["volumes"] if each["name"] != "keys"] + [
        {"name": "keys", "configMap": {"name": "keys-file"}},
        {"name": "data", "hostPath": {"path": str(folder), "type": "Directory"}}]
    keys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys-file"},
            "data": {"keys": base64.b64decode(secret["data"]["keys"]).decode()}}
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    return yaml.safe_dump_all([*of_kind(objects, "ConfigMap"), keys, pod]), base64.b64decode(secret["data"]["key"]).decode()


@long
def test_the_pod_of_the_statefulset_runs(image, tmp_path):
    objects = rendered(subprocess.run([TOOLS / "helm4", "template", "swin2sr-prod", CHART, *VALUE_SETS["literal"][0]],
                                      capture_output=True, text=True))
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 65532, 65532)
    ports = {"http": free_port(), "metrics": free_port()}
    text, key = playable(objects, image, volume, ports)
    file = tmp_path / "pod.yaml"
    file.write_text(text)
    url, header = f"http://127.0.0.1:{ports['http']}", {"Authorization": "Bearer " + key}
    picture = (ROOT / "docs/samples/coffee.png").read_bytes()
    server = Client("127.0.0.1", ports["http"])
    ship.podman("kube", "play", file)
    try:
        wait_until_ready(server)
        refused = requests.post(url + "/upscale", files={"file": picture})
        assert refused.status_code == 401 and requests.get(url + "/metrics").status_code == 404
        job = requests.post(url + "/v1/jobs", files={"file": picture}, headers=header).json()
        assert job["id"].startswith("0-")
        wait_for("the job", lambda: job_of(url, job["id"], header)["status"] == "succeeded")
        assert any(volume.glob("outputs/*.png"))
        strange = requests.get(f"{url}/v1/jobs/1{job['id'][1:]}", headers=header).json()
        assert "replica 0" in strange["detail"] and "replica 1" in strange["detail"]
        metrics = requests.get(f"http://127.0.0.1:{ports['metrics']}/metrics").text
        assert re.search(r'swin2sr_worker_sandbox\{.*holds="seccomp landlock-\d+"\} 1', metrics)
        assert f"swin2sr_memory_limit_bytes {2 << 30}\n" in metrics
        ship.podman("exec", "swin2sr-prod-0-swin2sr", "swin2sr", "healthcheck", "http://127.0.0.1:8080/readyz")
        ship.podman("kube", "down", file)
        ship.podman("kube", "play", file)  # the replica comes back with its volume, and knows its job
        wait_until_ready(server)
        assert job_of(url, job["id"], header)["status"] == "succeeded"
    finally:
        ship.podman("kube", "down", file, check=False)


def job_of(url, identity, header):
    return requests.get(f"{url}/v1/jobs/{identity}", headers=header).json()


def wait_until_ready(server):
    def is_ready():
        try:
            return requests.get(server.url + "/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False
    wait_for("readiness", is_ready)
