# SPDX-License-Identifier: Apache-2.0
"""What must be true after every fault: accepted = done + failed with a reason + still queued, as the answers, the records
of the jobs and /metrics all say."""
from collections import Counter

import requests

from service import PATIENCE_S, open_image, picture, wait_for

STATES = ("queued", "running", "succeeded", "failed", "canceled")


def submit(service, seed=0, image=None, **headers):
    """The id of a job that was accepted."""
    answer = requests.post(service.url + "/v1/jobs", data=image or picture(seed=seed), timeout=PATIENCE_S,
                           headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def all_jobs(service):
    jobs, path = [], "/v1/jobs?limit=100"
    while path:
        page = requests.get(service.url + path, timeout=PATIENCE_S).json()
        jobs += page["jobs"]
        path = page.get("next")
    return jobs


def check_jobs(service, accepted, **expected):
    """Wait until no job is unfinished. Exactly those that were accepted exist, in these states (succeeded=N, failed=N);
    each has its result, or says why it has none."""
    wait_for("the end of all jobs", lambda: all(job["finished"] for job in all_jobs(service)))
    jobs = all_jobs(service)
    assert sorted(job["id"] for job in jobs) == sorted(accepted)
    states = Counter(job["status"] for job in jobs)
    assert states == Counter(expected), [job for job in jobs if job["status"] == "failed"]
    assert {state: service.metric(f'jobs{{status="{state}"}}') for state in STATES} == \
        {state: states[state] for state in STATES}
    for job in jobs:
        if job["status"] == "succeeded":
            result = requests.get(service.url + job["result"]["url"], timeout=PATIENCE_S)
            assert len(result.content) == job["result"]["bytes"] and open_image(result.content)
        elif job["status"] == "failed":
            assert job["error"]["code"] and job["error"]["detail"]
    return jobs


def check_requests(service, route, answers, expected):
    """The answers have these codes, {200: 3}, and the service has counted the same ones."""
    assert Counter(answer.status_code for answer in answers) == Counter(expected)
    for code, count in expected.items():
        wait_for(f"{count} answers with {code}",
                 lambda: service.metric(f'requests_total{{route="{route}",code="{code}"}}') == count, 10)
    assert service.metric(f'requests_total{{route="{route}"}}') == len(answers)
