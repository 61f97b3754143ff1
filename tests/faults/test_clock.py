# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps by three days in each direction while requests and jobs are waiting and running: nothing is late,
nothing is lost, and counts are exact."""
import signal

import pytest

from accounts import check_jobs, check_requests, submit
from inject import Faults
from service import Service, picture

DAYS = 86400


@pytest.mark.parametrize("days", [3, -3])
def test_the_wall_clock_jumps(tmp_path, days):
    faults = Faults(tmp_path / "faults")
    arguments = ("--data", str(tmp_path / "data"), "--models", "clean", "--workers", "1", "--threads", "1",
                 "--deadline-s", "60", "--result-hours", "240")
    with Service(tmp_path, *arguments, env=faults.environment) as service:
        service.wait_ready()
        answers = [service.upscale(picture(seed=1))]
        accepted = [submit(service, seed) for seed in range(2)]
        service.signal_workers(signal.SIGSTOP)
        calls = [service.upscale_in_background(picture(seed=seed)) for seed in range(3)]
        service.wait_metric('workers{state="busy"}', 1)
        accepted += [submit(service, seed) for seed in range(2, 4)]
        faults.set("clock_s", days * DAYS)
        accepted += [submit(service, seed) for seed in range(4, 6)]
        service.signal_workers(signal.SIGCONT)
        answers += [call.join() for call in calls]
        answers.append(service.upscale(picture(seed=2)))
        faults.set("clock_s", 0)
        accepted.append(submit(service, 6))
        check_jobs(service, accepted, succeeded=7)
        check_requests(service, "/upscale", answers, {200: 5})
        assert service.restarts("deadline") == service.restarts("stalled") == 0
    with Service(tmp_path, *arguments, env=faults.environment) as service:
        service.wait_ready()
        check_jobs(service, accepted, succeeded=7)
