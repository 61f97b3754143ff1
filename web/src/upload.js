// SPDX-License-Identifier: Apache-2.0
// upload.js - send a file in a way that survives broken connections (tus 1.0.0, docs/api.md). The file's name is not
// sent.
import { Upload } from "tus-js-client";
import * as key from "./key.js";
import { address, Problem, problemFrom } from "./service.js";

const RETRIES_MS = [0, 500, 1000, 2000, 3000, 5000, 5000, 10000, 10000, 15000, 15000, 30000];

function problemOf(error) {
  const response = error.originalResponse;
  return response ? problemFrom(response.getBody(), response.getStatus()) : new Problem("offline");
}

// Starts at once. file: what to send. known: the address of an upload that was begun before, or null.
// on: { progress(sent), address(url), done(id), failed(problem) }
// returns { stop(), remove() }: stop keeps what has been sent.
export function send(file, known, on) {
  let sentKey = key.current();
  const upload = new Upload(file, {
    endpoint: address("v1/uploads"),
    uploadUrl: known,
    retryDelays: RETRIES_MS,
    storeFingerprintForResuming: false,
    onBeforeRequest(request) {
      sentKey = key.current();
      for (const [name, value] of Object.entries(key.header())) request.setHeader(name, value);
    },
    onUploadUrlAvailable: () => on.address(upload.url),
    onProgress: (sent) => on.progress(sent),
    onSuccess: () => on.done(upload.url.replace(/.*\//, "")),
    async onError(error) {
      const problem = problemOf(error);
      if (!problem.code.startsWith("key_")) return on.failed(problem);
      await key.ask(problem.code, sentKey);
      upload.start();
    },
  });
  upload.start();
  return { stop: () => upload.abort(), remove: () => upload.abort(true).catch(() => {}) };
}
