# SPDX-License-Identifier: Apache-2.0
"""/status and /v1/status: who may see them, and what they say."""
import jsonschema
import pytest
import requests

from keys_file import bearer
from service import check_problem, picture, wait_for

pytestmark = pytest.mark.sanitize


def status_of(url, code=200, **headers):
    answer = requests.get(url + "/v1/status", headers=headers)
    assert answer.status_code == code, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json() if code == 200 else check_problem(answer, code, answer.json()["code"])


def inner_address(server):
    """The event of the socket of --metrics-listen; its line comes after the first one."""
    return wait_for("both addresses", lambda: [event for event in server.events("listening") if event["is_for_metrics"]])[0]


def test_what_it_says(server):
    status = status_of(server.url)
    document = requests.get(server.url + "/openapi.json").json()
    schema = document["paths"]["/v1/status"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(status)
    assert status["state"] == "ready" and "jobs" not in status
    names = [network["name"] for pool in status["pools"] for network in pool["networks"]]
    assert names == [model["name"] for model in requests.get(server.url + "/v1/models").json()["models"]]
    assert sum(status["pools"][0]["workers"].values()) >= 1
    assert (status["pools"][0]["level"], status["pools"][0]["reason"]) == ("none", None)


def test_problems_of_the_last_hour_by_kind(start, tmp_path):
    server = start("--workers", "1", "--data", tmp_path / "data")
    assert status_of(server.url)["errors"] == []
    for _ in range(3):
        requests.post(server.url + "/upscale", data=b"text")
    requests.get(server.url + "/nothing")
    broken = picture(64, 64)
    job = requests.post(server.url + "/v1/jobs", data=broken[:len(broken) // 2]).json()
    wait_for("the job to fail", lambda: requests.get(f"{server.url}/v1/jobs/{job['id']}").json()["status"] == "failed")
    status = status_of(server.url)
    found = {error["code"]: (error["status"], error["answers"], error["jobs"]) for error in status["errors"]}
    assert found == {"unsupported_image": (415, 3, 0), "not_found": (404, 1, 0), "corrupt_image": (422, 0, 1)}
    assert status["jobs"]["failed"] == 1


def test_without_keys_it_is_for_this_machine(start):
    server = start(ready=False)
    status_of(server.url)
    for name in ("X-Forwarded-For", "Forwarded"):  # a proxy on this machine makes everybody look local
        problem = status_of(server.url, 403, **{name: "203.0.113.7"})
        assert problem["code"] == "not_admin"


def test_without_keys_others_may_not_see_it(start):
    server = start("--trusted-proxies", "127.0.0.1", ready=False)
    assert status_of(server.url, 403, **{"X-Forwarded-For": "203.0.113.7"})["code"] == "not_admin"
    assert requests.get(server.url + "/status").status_code == 200, "the page itself says nothing"


def test_on_the_addresses_for_metrics(start):
    server = start("--trusted-proxies", "127.0.0.1", "--metrics-listen", "127.0.0.1:0", ready=False)
    inner = inner_address(server)
    url = f"http://127.0.0.1:{inner['port']}"
    assert status_of(url, **{"X-Forwarded-For": "203.0.113.7"})["version"]
    page = requests.get(url + "/status")
    assert page.status_code == 200
    for name in ("early", "status", "style"):
        asset = page.text.split(f'"assets/{name}')[1].split('"')[0]
        assert requests.get(f"{url}/assets/{name}{asset}").status_code == 200
    assert requests.get(url + "/").status_code == 404


def test_with_keys_it_needs_one_of_an_operator(start, keys):
    _, plain = keys.new("alice")
    _, operator = keys.new("olga", "--admin")
    server = start("--keys", keys.path, "--metrics-listen", "127.0.0.1:0", ready=False)
    inner = inner_address(server)
    for url in (server.url, f"http://127.0.0.1:{inner['port']}"):
        assert status_of(url, 401)["code"] == "key_missing"
        assert status_of(url, 403, **bearer(plain))["code"] == "not_admin"
        assert status_of(url, **bearer(operator))["version"]


def test_the_page_in_both_languages(server):
    for language in ("en", "zh"):
        page = requests.get(server.url + "/status?lang=" + language)
        assert page.status_code == 200 and "{{" not in page.text and "@@" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
