// SPDX-License-Identifier: Apache-2.0
// thumb.js - small pictures for the list, made one at a time so that many large files need little memory.
const SIDE_PX = 144;
let last = Promise.resolve();

async function draw(file) {
  const whole = await createImageBitmap(file);
  const scale = Math.max(SIDE_PX / whole.width, SIDE_PX / whole.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE_PX;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, (SIDE_PX - whole.width * scale) / 2, (SIDE_PX - whole.height * scale) / 2, whole.width * scale, whole.height * scale);
  whole.close();
  return canvas.toDataURL("image/webp", 0.7);
}

// A data address of a square of SIDE_PX; null where the browser cannot show the file.
export function thumbOf(file) {
  const made = last.then(() => draw(file)).catch(() => null);
  last = made;
  return made;
}

// The policy of the page allows blobs, not data addresses.
export function blobOf(address) {
  const [head, text] = address.split(",");
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
