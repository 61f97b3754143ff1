#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What several servers that share their jobs do, and what sharing costs.

usage: bench/cluster.py [--build DIR] [--store radosgw|folder] [--rounds 5] [--page docs/scaling.md] [--out FILE]

Scaling: nodes that may use 0.4 core each (a quota of their cgroup), two against one, in turns, on the same jobs; beside
it the CPU seconds of the servers of NATS and of the store. The rate is that of the jobs between the first that has ended
and those that end while a node has nothing left to do.
Overhead: jobs of 512x512, one after the other, by one server with its own folder and by one node with a store and NATS,
in turns: seconds from the request to the last byte of the result.
In: root, nats-server and radosgw (tools/install_packages.sh cluster).  Out: bench/results/cluster.json, and the tables in
the page. It takes eight minutes on two cores.
"""
import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parent.parent
SHARE = 0.4  # cores of a node
SCALING_PX, SCALING_JOBS = 128, 24
OVERHEAD_PX = 512
QUIET = 0.7  # runnable processes over the last minute
BUCKET = "bench-bucket"
ALONE = "--models", "photo", "--workers", "1", "--threads", "1"


# ---- CPU ----

class Quota:
    """A cgroup whose processes may use so many cores; version 1 or 2."""

    def __init__(self, name, cores):
        own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
        is_old = "cpu" in own or "cpu,cpuacct" in own
        base = Path("/sys/fs/cgroup/cpu") / own.get("cpu", own.get("cpu,cpuacct", "/")).lstrip("/") if is_old else Path("/sys/fs/cgroup") / own[""].lstrip("/")
        self.folder = base / f"swin2sr-bench-{os.getpid()}-{name}"
        self.folder.mkdir()
        self.limit = (self.folder / "cpu.cfs_quota_us", str(int(cores * 100000))) if is_old else (self.folder / "cpu.max", f"{int(cores * 100000)} 100000")

    def take(self, pids):
        self.limit[0].write_text(self.limit[1])
        for pid in pids:
            (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self):
        self.folder.rmdir()


def cpu_seconds(pids):
    """That these processes have used until now."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# ---- servers ----

class Peers:
    """Three servers of NATS, and a store."""

    def __init__(self, folder, kind, stack):
        import stores
        from nats_servers import NatsServers
        self.folder, self.count = folder, 0
        self.nats = NatsServers(folder)
        stack.callback(self.nats.close)
        self.store = None
        if kind == "radosgw":
            (folder / "store").mkdir()
            self.store = stack.enter_context(stores.running(stores.Radosgw, folder / "store", BUCKET))
            (folder / "keys").write_text(f"aws_access_key_id = {self.store.access}\naws_secret_access_key = {self.store.secret}\n")

    def place(self):
        """Arguments that name a place in the store that is still empty."""
        self.count += 1
        if not self.store:
            return f"folder:{self.folder / f'jobs{self.count}'}", ()
        return f"s3:{self.store.endpoint}/{BUCKET}/jobs{self.count}", ("--s3-credentials", str(self.folder / "keys"))

    def cpu(self):
        """{what: CPU seconds until now}"""
        found = {"nats": cpu_seconds([process.pid for process in self.nats.processes])}
        if self.store:
            found["store"] = cpu_seconds([process.pid for process in self.store.programs.running.values()])
        return found


def start_node(peers, name, place):
    from nodes import Node
    node = Node(peers.folder, name, place[0], *place[1], "--nats", peers.nats.urls, "--lease-s", "30", *ALONE)
    node.wait_ready()
    return node


# ---- scaling ----

def ended_at(nodes, jobs):
    """When each job has ended, by the clock of its node, which is that of this machine."""
    import requests
    times = []
    for job in jobs:
        while True:
            seen = requests.get(f"{nodes[0].url}/v1/jobs/{job}", timeout=60).json()
            if seen["status"] not in ("queued", "running"):
                break
            time.sleep(0.5)
        assert seen["status"] == "succeeded", seen
        times.append(seen["finished"])
    return times


def run_scaling(peers, count):
    """{rate, peers' CPU seconds per job} of so many nodes."""
    from service import picture
    place = peers.place()
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(start_node(peers, "ab"[i], place)) for i in range(count)]
        for i, node in enumerate(nodes):
            quota = Quota("ab"[i], SHARE)
            quota.take([node.process.pid, *node.worker_pids()])
            stack.callback(quota.close)
            stack.callback(node.close)
        before, begun = peers.cpu(), time.monotonic()
        jobs = [nodes[i % count].accept(picture(SCALING_PX, SCALING_PX, seed=i)) for i in range(SCALING_JOBS)]
        times = sorted(seconds_of(text) for text in ended_at(nodes, jobs))
        wall = time.monotonic() - begun
        used = {name: (seconds - before[name]) for name, seconds in peers.cpu().items()}
        whole = times[:len(times) - count + 1]  # after these, a node has nothing left to do
        return {"nodes": count, "jobs_per_s": (len(whole) - 1) / (whole[-1] - whole[0]), "wall_s": wall,
                "cpu_s": cpu_seconds([pid for node in nodes for pid in (node.process.pid, *node.worker_pids())]),
                "peers_cpu_s": used}


def seconds_of(text):
    """Of a time as the service writes it."""
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def measure_scaling(peers, rounds):
    rows = []
    for number in range(rounds):
        for count in (1, 2) if number % 2 else (2, 1):
            rows.append(run_scaling(peers, count))
            print(f"{count} of {SHARE} core: {rows[-1]['jobs_per_s']:.3f} jobs/s", flush=True)
    return rows


# ---- overhead ----

def one_job(url, image):
    """Seconds until the result is here."""
    import requests
    begun = time.perf_counter()
    answer = requests.post(url + "/v1/jobs", files={"file": image}, headers={"Prefer": "wait=300"}, timeout=600)
    seconds = time.perf_counter() - begun
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/png", answer.text[:300]
    return seconds


def measure_overhead(peers, rounds):
    from service import Service, picture
    image, rows = picture(OVERHEAD_PX, OVERHEAD_PX), {"embedded": [], "cluster": []}
    with contextlib.ExitStack() as stack:
        servers = {"embedded": stack.enter_context(Service(peers.folder, "--data", str(peers.folder / "alone"), *ALONE)),
                   "cluster": stack.enter_context(start_node(peers, "c", peers.place()))}
        servers["embedded"].wait_ready()
        for number in range(-1, rounds):  # the first round warms up
            for name in sorted(servers, reverse=number % 2 == 0):
                seconds = one_job(servers[name].url, image)
                if number >= 0:
                    rows[name].append(seconds)
                    print(f"{name}: {seconds:.3f} s", flush=True)
    return rows


# ---- results ----

def summary(data):
    """The figures that the gates are about."""
    rate = {count: statistics.median(row["jobs_per_s"] for row in data["scaling"] if row["nodes"] == count) for count in (1, 2)}
    best, middle = ({name: of(rows) for name, rows in data["overhead"].items()} for of in (min, statistics.median))
    return {"jobs_per_s": rate, "scaling": rate[2] / rate[1], "best_s": best, "median_s": middle,
            "overhead": best["cluster"] / best["embedded"] - 1, "overhead_median": middle["cluster"] / middle["embedded"] - 1}


def tables(data):
    found, lines = summary(data), ["| nodes of 0.4 core | jobs a second, median (least to most) | CPU seconds a job: node | NATS | store |",
                                   "|---|---|---|---|---|"]
    for count in (1, 2):
        rows = [row for row in data["scaling"] if row["nodes"] == count]
        rates = sorted(row["jobs_per_s"] for row in rows)

        def per_job(value):
            return f"{statistics.median(value(row) for row in rows) / data['jobs']:.3f}"
        store = per_job(lambda row: row["peers_cpu_s"]["store"]) if "store" in rows[0]["peers_cpu_s"] else "-"
        lines.append(f"| {count} | {found['jobs_per_s'][count]:.3f} ({rates[0]:.3f} to {rates[-1]:.3f}) "
                     f"| {per_job(lambda row: row['cpu_s'])} | {per_job(lambda row: row['peers_cpu_s']['nats'])} | {store} |")
    lines += ["", f"Two nodes do {found['scaling']:.2f} times the work of one (pictures of {SCALING_PX}x{SCALING_PX}, {data['rounds']} rounds).", "",
              f"| one job of {OVERHEAD_PX}x{OVERHEAD_PX}, {len(data['overhead']['cluster'])} turns | best s | median s | worst s |",
              "|---|---|---|---|"]
    for name, rows in data["overhead"].items():
        lines.append(f"| {name} | {found['best_s'][name]:.2f} | {found['median_s'][name]:.2f} | {max(rows):.2f} |")
    about = data["machine"]
    return "\n".join([*lines, "", f"The cluster takes {100 * found['overhead']:.1f} % longer by the best, {100 * found['overhead_median']:.1f} % by the medians. Measured: {about['date']}, commit "
                      f"{about['commit']}, {about['cpu']} ({about['cpu_family_model']}), {about['cores']} cores, store: {data['store']}.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("radosgw", "folder"), default="radosgw")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=Path, default=ROOT / "docs/scaling.md")
    parser.add_argument("--try", action="store_true", dest="is_try", help="also where other programs run; nothing is written")
    machine.add_options(parser)
    options = parser.parse_args()
    if machine.load() > QUIET and not options.is_try:
        sys.exit(f"the load is {machine.load()}: other programs run. Measure when it is at most {QUIET}")
    os.environ["SWIN2SR_BUILD"] = str(options.build)
    sys.path[:0] = [str(ROOT / "tests" / name) for name in ("cluster", "server")]
    about = machine.describe(options.build)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        peers = Peers(Path(folder), options.store, stack)
        data = {"store": options.store, "rounds": options.rounds, "jobs": SCALING_JOBS,
                "scaling": measure_scaling(peers, options.rounds), "overhead": measure_overhead(peers, 3 * options.rounds)}
    text = tables({**data, "machine": about})
    print(text)
    if options.is_try:
        return
    machine.save(options.out, about, "cluster", **data, summary=summary(data))
    machine.write_between(options.page, "bench/cluster.py", text)


if __name__ == "__main__":
    main()
