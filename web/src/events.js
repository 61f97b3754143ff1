// SPDX-License-Identifier: Apache-2.0
// events.js - follow a job until it is finished: server-sent events, read with fetch so that they can carry a key.
// The job's token is enough to read them. A connection that breaks is made again.
import { pathOf, pause, Problem, request } from "./service.js";
import { takeEvents } from "./sse.js";

async function readStream(response, take) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = takeEvents(text + decoder.decode(value, { stream: true }), take);
  }
}

const FINISHED = ["succeeded", "failed", "canceled"];

// job: { id, token }. on: { status(job), progress({progress, eta_seconds}), lost(), gone(problem) }
export async function follow(job, on, signal) {
  let isFinished = false, delay = 0.5;
  const take = (event, data) => {
    delay = 0.5;
    if (event === "status") {
      isFinished = FINISHED.includes(data.status);
      on.status(data);
    } else if (event === "progress") {
      on.progress(data);
    }
  };
  while (!isFinished && !signal.aborted) {
    try {
      await readStream(await request(pathOf(job, "events"), { signal }), take);
      if (isFinished) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && !error.isPassing && error.status !== undefined && error.status < 500) return on.gone(error);
    }
    if (!signal.aborted) on.lost();
    await pause(delay, signal).catch(() => {});
    delay = Math.min(delay * 2, 5);
  }
}
