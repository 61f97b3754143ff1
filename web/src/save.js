// SPDX-License-Identifier: Apache-2.0
// save.js - all results as ZIP files. Bytes are passed on to blobs, which the browser keeps on its disk, a few MiB at a
// time; an archive ends before LARGEST_BYTES, and the next one begins.
import { el } from "./dom.js";
import { resultName } from "./picture.js";
import { pathOf, request } from "./service.js";
import { distinct, makeZip } from "./zip.js";

const LARGEST_BYTES = 2e9, PIECE_BYTES = 8 << 20;

async function* piecesOf(picture) {
  const stream = picture.blob ? picture.blob.stream()
    : (await request(pathOf(picture.job, "result"))).body;
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

function makeBlobWriter() {
  const blobs = [];
  let pieces = [], bytes = 0;
  const flush = () => {
    blobs.push(new Blob(pieces));
    pieces = [];
    bytes = 0;
  };
  return {
    write(piece) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= PIECE_BYTES) flush();
    },
    blob() {
      flush();
      return new Blob(blobs, { type: "application/zip" });
    },
  };
}

function offer(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// Groups whose results fit into one archive each.
export function groups(pictures, largest = LARGEST_BYTES) {
  const all = [[]];
  let bytes = 0;
  for (const picture of pictures) {
    if (all.at(-1).length && bytes + picture.result.bytes > largest) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1).push(picture);
    bytes += picture.result.bytes;
  }
  return all;
}

// onProgress(count of pictures packed). Throws a Problem if a result cannot be read; what was complete is saved.
export async function saveAll(pictures, onProgress) {
  const names = distinct(pictures.map(resultName)), parts = groups(pictures);
  let count = 0;
  for (const [index, part] of parts.entries()) {
    const writer = makeBlobWriter(), zip = makeZip(writer.write);
    const name = parts.length > 1 ? `enlarged-${index + 1}.zip` : "enlarged.zip";
    let fault = null;
    for (const picture of part) {
      try {
        const first = piecesOf(picture), head = await first.next(); // a result that is gone makes no entry
        await zip.add(names[count], (async function* () {
          if (!head.done) yield head.value;
          yield* first;
        })());
      } catch (error) {
        fault = error;
        break;
      }
      onProgress(++count);
    }
    zip.end();
    if (!fault || count) offer(writer.blob(), name);
    if (fault) throw fault;
  }
}
