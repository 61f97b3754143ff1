// SPDX-License-Identifier: Apache-2.0
// remember.js - the list of pictures outlives the page: ids, tokens and thumbnails, but neither pictures nor keys.
import { load, save } from "./keep.js";
import { toKept } from "./picture.js";

const MOST = 200, AFTER_MS = 250;
let timer = 0, last = null;

// The newest; without thumbnails where the browser has no more room.
function write() {
  clearTimeout(timer);
  timer = 0;
  const kept = last.slice(-MOST).map(toKept);
  if (!save("pictures", kept)) save("pictures", kept.map((each) => ({ ...each, thumb: undefined })));
}

export function rememberPictures(pictures) {
  last = pictures;
  timer ||= setTimeout(write, AFTER_MS);
}

addEventListener("pagehide", () => last && write());

export const loadPictures = () => (Array.isArray(load("pictures")) ? load("pictures") : []);
