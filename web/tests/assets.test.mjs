// SPDX-License-Identifier: Apache-2.0
// assets.test.mjs - web/dist is what web/build.mjs makes of web/src, and small.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const WEB = fileURLToPath(new URL("..", import.meta.url)), DIST = join(WEB, "dist");
const LARGEST_BYTES = 150_000;

test("the committed assets are those that the sources make", () => {
  const folder = mkdtempSync(join(tmpdir(), "swin2sr-assets-"));
  execFileSync(process.execPath, [join(WEB, "build.mjs"), folder]);
  assert.deepEqual(readdirSync(DIST).sort(), readdirSync(folder).sort(), "run make page");
  for (const name of readdirSync(folder))
    if (!/\.(gz|br)$/.test(name)) assert.deepEqual(readFileSync(join(DIST, name)), readFileSync(join(folder, name)), name);
  rmSync(folder, { recursive: true });
});

test("compressed forms have the same content, and everything together is small", () => {
  let bytes = 0;
  for (const name of Object.values(JSON.parse(readFileSync(join(DIST, "assets.json"))))) {
    const plain = readFileSync(join(DIST, name)), gzip = readFileSync(join(DIST, name + ".gz"));
    assert.deepEqual(gunzipSync(gzip), plain);
    assert.deepEqual(brotliDecompressSync(readFileSync(join(DIST, name + ".br"))), plain);
    bytes += gzip.length;
  }
  assert.ok(bytes < LARGEST_BYTES, `${bytes} bytes, at most ${LARGEST_BYTES}`);
});
