// SPDX-License-Identifier: Apache-2.0
// zip.js - a ZIP file of stored entries, written piece by piece. Pictures are compressed already. Sizes and checksums
// follow each entry, so that its bytes need not be known before. No entry and no archive reaches 4 GiB (save.js).

const TABLE = new Uint32Array(256).map((_, i) => {
  for (let bit = 0; bit < 8; bit++) i = i & 1 ? (i >>> 1) ^ 0xedb88320 : i >>> 1;
  return i;
});

export function crc32(bytes, crc = 0) {
  crc = ~crc;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// Fields of 2 or 4 bytes, little-endian: record(4, signature, 2, version, ...)
function record(...fields) {
  const bytes = [];
  for (let i = 0; i < fields.length; i += 2) for (let byte = 0; byte < fields[i]; byte++) bytes.push((fields[i + 1] / 2 ** (8 * byte)) & 255);
  return Uint8Array.from(bytes);
}

function dosTime(date) {
  return { time: (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1), day: (Math.max(0, date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate() };
}

const FLAGS = 0x0808; // sizes follow; names are UTF-8

// write(bytes): takes the next piece, in order.
export function makeZip(write, date = new Date()) {
  const { time, day } = dosTime(date), entries = [];
  let at = 0;
  const put = (bytes) => {
    at += bytes.length;
    write(bytes);
  };
  return {
    // pieces: an iterable or async iterable of Uint8Array.
    async add(name, pieces) {
      const entry = { name: new TextEncoder().encode(name), start: at, crc: 0, size: 0 };
      put(record(4, 0x04034b50, 2, 20, 2, FLAGS, 2, 0, 2, time, 2, day, 4, 0, 4, 0, 4, 0, 2, entry.name.length, 2, 0));
      put(entry.name);
      for await (const piece of pieces) {
        entry.crc = crc32(piece, entry.crc);
        entry.size += piece.length;
        put(piece);
      }
      put(record(4, 0x08074b50, 4, entry.crc, 4, entry.size, 4, entry.size));
      entries.push(entry);
    },

    end() {
      const start = at;
      for (const { name, crc, size, start: own } of entries) {
        put(record(4, 0x02014b50, 2, 20, 2, 20, 2, FLAGS, 2, 0, 2, time, 2, day, 4, crc, 4, size, 4, size, 2, name.length, 2, 0, 2, 0, 2, 0, 2, 0, 4, 0, 4, own));
        put(name);
      }
      put(record(4, 0x06054b50, 2, 0, 2, 0, 2, entries.length, 2, entries.length, 4, at - start, 4, start, 2, 0));
    },
  };
}

// Different names for all: the second "a.png" becomes "a (2).png".
export function distinct(names) {
  const taken = new Set();
  return names.map((name) => {
    const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let each = name;
    for (let i = 2; taken.has(each.toLowerCase()); i++) each = `${stem} (${i})${ending || ""}`;
    taken.add(each.toLowerCase());
    return each;
  });
}
