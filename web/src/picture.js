// SPDX-License-Identifier: Apache-2.0
// picture.js - one picture on the page: what is known of it, and which of that survives a reload.
//
// state: new -> uploading -> checking -> ready -> starting -> queued -> running -> done
//        interrupted (the upload stopped), failed, canceled, gone (its result was removed)
import { randomId } from "./service.js";

const KEPT = ["id", "name", "size", "type", "modified", "state", "sent", "upload", "uploadId", "options", "requestKey", "job",
  "sides", "result", "plan", "notes", "error", "thumb", "estimate"];
export const FINAL = ["done", "failed", "canceled", "gone"];

export function pictureOf(file, options) {
  return {
    id: randomId(), name: file.name || "picture", size: file.size, type: file.type, modified: file.lastModified,
    state: "new", sent: 0, options, file,
  };
}

// The parts that are kept in the browser. Files and blobs are not.
export function toKept(picture) {
  return Object.fromEntries(KEPT.filter((name) => picture[name] !== undefined).map((name) => [name, picture[name]]));
}

// After a reload: what was being done is begun again where it can be.
export function fromKept(kept) {
  const picture = { ...kept };
  if (["new", "uploading"].includes(picture.state)) picture.state = picture.uploadId ? "checking" : "interrupted";
  if (picture.state === "ready") picture.state = "checking";
  if (picture.state === "done" && picture.result && Date.parse(picture.result.expires) < Date.now()) picture.state = "gone";
  if (picture.state === "done" && !picture.job) picture.state = "gone";
  return picture;
}

export const isSameFile = (picture, file) =>
  picture.name === file.name && picture.size === file.size && picture.modified === file.lastModified;

export const isAtWork = (picture) => ["starting", "queued", "running"].includes(picture.state);

// What changes once the service has estimated the work (POST /v1/estimate).
export const readyFrom = (found) => ({
  state: "ready", sides: { width: found.width, height: found.height },
  estimate: { seconds: found.seconds, wait: found.wait_seconds, width: found.output_width, height: found.output_height },
});

// The name of the enlarged file: "coffee.png" becomes "coffee-4x.jpg".
export function resultName(picture) {
  const stem = picture.name.replace(/\.[^.]*$/, "") || "picture";
  const scale = picture.sides && picture.result ? Math.round(picture.result.width / picture.sides.width * 10) / 10 : 0;
  const ending = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/tiff": "tif", "image/avif": "avif" }[picture.result?.content_type] || picture.options.format;
  return `${stem}${scale > 1 ? `-${scale}x` : "-enlarged"}.${ending}`;
}
