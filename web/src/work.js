// SPDX-License-Identifier: Apache-2.0
// work.js - moves pictures through their states with a service that keeps jobs (--data). Nothing here touches the page.
// Browsers open six connections to a server: two are for uploads, two for events, the others for everything else.
import { follow } from "./events.js";
import { pause, Problem, query, randomId, request, requestJson } from "./service.js";
import { isAtWork, readyFrom } from "./picture.js";
import { send } from "./upload.js";

const UPLOADS = 2, FOLLOWED = 2;
const AHEAD = 40; // uploads that wait for their start: the service keeps at most 100 of a client

const REMOVAL = { method: "DELETE", keepalive: true, isSilent: true, headers: { "Tus-Resumable": "1.0.0" } };

export function makeWork(pictures, onChange, shouldStart) {
  const control = new Map(); // of a picture: how to stop what is under way

  function set(picture, changes) {
    Object.assign(picture, changes);
    onChange(picture);
  }

  function fail(picture, problem) {
    const { code, limit, actual, detail } = problem;
    set(picture, { state: "failed", error: { code, limit, actual, detail }, busyUntil: undefined, isLost: false });
    pump();
  }

  // Do `attempt` until it works or fails for good; wait between attempts where the service says so.
  async function insist(picture, attempt) {
    const stopper = new AbortController();
    control.set(picture.id, { stop: () => stopper.abort(), remove: () => stopper.abort() });
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(stopper.signal);
      } catch (error) {
        if (stopper.signal.aborted) return null;
        if (!(error instanceof Problem) || !error.isPassing) {
          fail(picture, error instanceof Problem ? error : new Problem("other"));
          return null;
        }
        const seconds = error.retryAfter || Math.min(2 ** tries, 10);
        set(picture, error.code === "offline" ? { isLost: true } : { busyUntil: Date.now() + seconds * 1000 });
        await pause(seconds, stopper.signal).catch(() => {});
        if (stopper.signal.aborted) return null;
        set(picture, { busyUntil: undefined, isLost: false });
      }
    }
  }

  function upload(picture) {
    set(picture, { state: "uploading", error: undefined });
    control.set(picture.id, send(picture.file, picture.upload, {
      progress: (sent) => set(picture, { sent }),
      address: (upload) => set(picture, { upload }),
      done: (uploadId) => {
        set(picture, { sent: picture.size, uploadId });
        check(picture);
        pump();
      },
      failed: (problem) => {
        if (problem.code === "offline") set(picture, { state: "interrupted" });
        else fail(picture, problem);
        pump();
      },
    }));
  }

  // The service keeps uploads for a day.
  const isUploadGone = (error) => error instanceof Problem && error.code === "bad_option" && /^upload\b/.test(error.detail);

  function sendAgain(picture) {
    set(picture, { state: picture.file ? "new" : "interrupted", upload: undefined, uploadId: undefined, sent: 0 });
    pump();
  }

  // Learn from the service what the picture is and how long it will take.
  async function check(picture) {
    set(picture, { state: "checking", error: undefined });
    const found = await insist(picture, (signal) =>
      requestJson(`v1/estimate${query({ ...picture.options, upload: picture.uploadId })}`, { method: "POST", signal })
        .catch((error) => isUploadGone(error) ? null : Promise.reject(error)));
    if (!found) return picture.state === "checking" && !picture.busyUntil && sendAgain(picture);
    set(picture, { ...readyFrom(found), isLost: false });
    if (shouldStart(picture)) start(picture);
  }

  // The same key makes the same job, however often it is sent.
  const makeJob = (picture, requestKey, signal) => requestJson(`v1/jobs${query({ ...picture.options, upload: picture.uploadId })}`,
    { method: "POST", headers: { "Idempotency-Key": requestKey }, signal });

  async function start(picture) {
    set(picture, { state: "starting", requestKey: picture.requestKey || randomId(), error: undefined });
    const job = await insist(picture, (signal) => makeJob(picture, picture.requestKey, signal));
    if (!job) return;
    const uploadId = picture.uploadId; // the job has its own copy
    set(picture, { upload: undefined, uploadId: undefined });
    take(picture, job);
    pump();
    request(`v1/uploads/${uploadId}`, REMOVAL).catch(() => {});
  }

  // The state of the job becomes the state of the picture.
  function take(picture, job) {
    const changes = {
      job: { id: job.id, token: job.token }, progress: job.progress, eta: job.eta_seconds, ahead: job.queue_position - 1,
      sides: { width: job.width, height: job.height }, plan: job.plan, notes: job.notes, isLost: false,
    };
    if (job.status === "failed") return fail(Object.assign(picture, changes), job.error || { code: "other" });
    if (job.status === "succeeded" && !job.result) changes.state = "gone";
    else changes.state = { queued: "queued", running: "running", succeeded: "done", canceled: "canceled" }[job.status];
    if (job.result) changes.result = job.result;
    set(picture, changes);
  }

  async function watch(picture) {
    const stopper = new AbortController();
    control.set(picture.id, { stop: () => stopper.abort(), isWatching: true });
    await follow(picture.job, {
      status: (job) => take(picture, job),
      progress: (now) => set(picture, { progress: now.progress, eta: now.eta_seconds, isLost: false }),
      lost: () => set(picture, { isLost: true }),
      gone: (problem) => fail(picture, problem),
    }, stopper.signal);
    if (control.get(picture.id)?.isWatching) control.delete(picture.id);
    pump();
  }

  // Begin whatever may begin now, in the order of the list.
  function pump() {
    let uploads = pictures.filter((picture) => picture.state === "uploading").length;
    let held = pictures.filter((picture) => ["uploading", "checking", "ready", "starting"].includes(picture.state)).length;
    for (const picture of pictures)
      if (picture.state === "new" && picture.file && uploads < UPLOADS && held < AHEAD) {
        uploads++;
        held++;
        upload(picture);
      }
    let followed = pictures.filter((picture) => control.get(picture.id)?.isWatching).length;
    for (const picture of pictures)
      if (["queued", "running"].includes(picture.state) && !control.get(picture.id)?.isWatching && followed < FOLLOWED) {
        followed++;
        watch(picture);
      }
  }

  async function forget(picture) {
    const path = picture.job ? `v1/jobs/${picture.job.id}` : null;
    const tries = [path, picture.uploadId ? `v1/uploads/${picture.uploadId}` : null].filter(Boolean);
    for (const each of tries)
      await request(each, REMOVAL).catch(() => {});
  }

  return {
    pump,
    start,
    recheck: check,

    // After a reload.
    resume(picture) {
      if (picture.state === "checking") check(picture);
      if (picture.state === "starting") start(picture);
    },

    async cancel(picture) {
      const stopper = control.get(picture.id);
      if (picture.state === "uploading") stopper?.remove();
      else stopper?.stop();
      const { requestKey } = picture, isUnanswered = picture.state === "starting" && !picture.busyUntil;
      let job = isAtWork(picture) && picture.job;
      control.delete(picture.id);
      set(picture, { state: "canceled", busyUntil: undefined, isLost: false, requestKey: undefined });
      if (isUnanswered) job = await makeJob(picture, requestKey).catch(() => null); // it may have been made
      if (job) await request(`v1/jobs/${job.id}`, { method: "DELETE" }).catch(() => {});
      if (picture.state === "canceled") set(picture, { job: undefined });
      pump();
    },

    stop(picture) {
      control.get(picture.id)?.stop();
      control.delete(picture.id);
    },

    // What was sent is used again where it is still there.
    retry(picture, options) {
      Object.assign(picture, { options, requestKey: undefined, error: undefined, job: undefined, result: undefined, progress: 0 });
      if (picture.uploadId) check(picture);
      else sendAgain(picture);
    },

    // The files on the server too.
    forget,
  };
}
