// SPDX-License-Identifier: Apache-2.0
// direct.js - moves pictures through their states with a service that keeps nothing (no --data): one request sends the
// picture and gets the result. Results live in this tab only.
import * as key from "./key.js";
import { readyFrom } from "./picture.js";
import { address, Problem, problemFrom, query, requestJson } from "./service.js";

const AT_ONCE = 1;

export function makeDirect(pictures, onChange, shouldStart) {
  const requests = new Map();

  function set(picture, changes) {
    Object.assign(picture, changes);
    onChange(picture);
  }

  function fail(picture, { code, limit, actual, detail }) {
    set(picture, { state: "failed", error: { code, limit, actual, detail } });
    pump();
  }

  async function check(picture) {
    set(picture, { state: "checking", error: undefined });
    try {
      const found = await requestJson(`v1/estimate${query(picture.options)}`,
        { method: "POST", body: picture.file, headers: { "Content-Type": "application/octet-stream" } });
      if (picture.state !== "checking") return;
      set(picture, readyFrom(found));
    } catch (error) {
      if (!(error instanceof Problem) || !error.isPassing) return fail(picture, error instanceof Problem ? error : { code: "other" });
      set(picture, { state: "ready" });
    }
    if (shouldStart(picture)) start(picture);
  }

  function start(picture) {
    set(picture, { state: "queued", error: undefined, sent: 0, ahead: requests.size });
    pump();
  }

  function takeResult(picture, transfer) {
    const type = transfer.getResponseHeader("Content-Type");
    const size = picture.estimate || {};
    set(picture, {
      state: "done", blob: transfer.response, plan: transfer.getResponseHeader("X-Swin2SR-Plan"),
      choice: transfer.getResponseHeader("X-Swin2SR-Choice"), notes: transfer.getResponseHeader("X-Swin2SR-Notes") || undefined,
      result: { bytes: transfer.response.size, content_type: type, width: size.width, height: size.height },
    });
  }

  async function end(picture, transfer) {
    requests.delete(picture.id);
    if (transfer.status === 200) takeResult(picture, transfer);
    else if (transfer.status === 0) fail(picture, { code: "offline" });
    else {
      const problem = problemFrom(await transfer.response.text().catch(() => ""), transfer.status);
      if (problem.code.startsWith("key_")) {
        await key.ask(problem.code, transfer.sentKey);
        start(picture);
      } else fail(picture, problem);
    }
    pump();
  }

  function run(picture) {
    const transfer = new XMLHttpRequest();
    requests.set(picture.id, transfer);
    transfer.sentKey = key.current();
    transfer.open("POST", address(`upscale${query(picture.options)}`));
    transfer.responseType = "blob";
    transfer.setRequestHeader("Accept", "application/problem+json, */*");
    transfer.setRequestHeader("Content-Type", "application/octet-stream");
    for (const [name, value] of Object.entries(key.header())) transfer.setRequestHeader(name, value);
    transfer.upload.onprogress = (event) => set(picture, { state: "uploading", sent: event.loaded });
    transfer.upload.onload = () => set(picture, { state: "running", sent: picture.size, progress: undefined });
    transfer.onload = transfer.onerror = () => end(picture, transfer);
    set(picture, { state: "uploading" });
    transfer.send(picture.file);
  }

  function pump() {
    for (const picture of pictures) {
      if (picture.state === "new" && picture.file) check(picture);
      if (picture.state === "queued" && requests.size < AT_ONCE) run(picture);
    }
  }

  function stop(picture) {
    requests.get(picture.id)?.abort();
    requests.delete(picture.id);
  }

  return {
    pump, start, recheck: check, stop,
    resume: () => {},
    cancel(picture) {
      stop(picture);
      set(picture, { state: "canceled" });
      pump();
    },
    retry(picture, options) {
      set(picture, { options, error: undefined, blob: undefined, result: undefined, state: "new" });
      pump();
    },
    forget: async () => {},
  };
}
