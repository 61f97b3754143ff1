// SPDX-License-Identifier: Apache-2.0
// modules.test.mjs - the parts of the page that need no browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { takeEvents } from "../src/sse.js";
import { makeView } from "../src/view.js";
import { crc32, distinct, makeZip } from "../src/zip.js";

const WEB = new URL("..", import.meta.url);
const words = (language) => JSON.parse(readFileSync(new URL(`words/${language}.json`, WEB)));

test("both languages have the same texts with the same holes", () => {
  const [en, zh] = ["en", "zh"].map(words);
  const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort().join();
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) assert.equal(holes(zh[key]), holes(en[key]), key);
});

test("events are taken apart wherever the stream is cut", () => {
  const text = "retry: 2000\nevent: status\ndata: {\"status\":\"queued\"}\n\n: still there\n\nevent: progress\ndata: {\"progress\":0.5}\n\n";
  for (let cut = 0; cut <= text.length; cut++) {
    const taken = [];
    const take = (event, data) => taken.push([event, data]);
    assert.equal(takeEvents(takeEvents(text.slice(0, cut), take) + text.slice(cut), take), "");
    assert.deepEqual(taken, [["status", { status: "queued" }], ["progress", { progress: 0.5 }]]);
  }
});

test("zooming keeps the point under the pointer, and the picture covers the stage", () => {
  const view = makeView({ width: 800, height: 600 }, { width: 4000, height: 2000 }, 2);
  view.fit();
  assert.equal(view.scale, 0.2);
  assert.deepEqual([view.x, view.y], [0, 100]);
  const before = view.pointAt(300, 250);
  view.zoomBy(4, 300, 250);
  const after = view.pointAt(300, 250);
  assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-6);
  view.moveBy(1e6, -1e6);
  assert.equal(view.x, 0);
  assert.ok(Math.abs(view.y - (600 - 2000 * view.scale)) < 1e-9);
  view.zoomBy(1e9);
  assert.equal(view.scale, 8, "sixteen pixels of the screen for one of the picture");
  view.one();
  assert.equal(view.scale, 0.5);
  view.zoomBy(1e-9);
  assert.ok(view.isWhole());
  view.resize(400, 300);
  assert.equal(view.scale, 0.1, "what was shown whole stays whole");
});

test("an error is understood whoever wrote its body", async () => {
  // Bundled, because Node does not load the texts that the module imports; it reads attributes of the page.
  const bundle = await build({ absWorkingDir: fileURLToPath(WEB), entryPoints: ["src/service.js"], bundle: true, write: false, format: "esm" });
  globalThis.document = { documentElement: { dataset: {}, lang: "en" } };
  const { problemFrom } = await import("data:text/javascript;base64," + Buffer.from(bundle.outputFiles[0].contents).toString("base64"));
  const code = (text, status) => problemFrom(text, status).code;
  assert.equal(code('{"message":"bad gateway"}', 502), "other");
  assert.equal(code("null", 502), "offline");
  assert.equal(code("null", 404), "other");
  assert.equal(code("<html>", 503), "offline");
  assert.equal(code("", 400), "other");
  assert.equal(code('{"code":502}', 502), "502", "codes are text");
  const { limit, actual, retryAfter, status } = problemFrom('{"code":"rate_limited","status":429,"limit":2,"actual":3,"retry_after":4}', 429);
  assert.deepEqual([limit, actual, retryAfter, status], [2, 3, 4, 429]);
});

test("CRC-32 has its check value", () => assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926));

test("a ZIP is read by another program", async () => {
  const pieces = [], folder = mkdtempSync(join(tmpdir(), "swin2sr-zip-"));
  const zip = makeZip((bytes) => pieces.push(bytes), new Date(2024, 1, 29, 13, 14, 16));
  await zip.add("猫.png", [new Uint8Array([1, 2, 3]), new Uint8Array([4])]);
  await zip.add("empty.txt", []);
  zip.end();
  writeFileSync(join(folder, "a.zip"), Buffer.concat(pieces));
  const read = "import zipfile,sys;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),[(i.filename,z.read(i).hex(),i.date_time) for i in z.infolist()])";
  const said = execFileSync("/usr/bin/python3", ["-X", "utf8", "-c", read, join(folder, "a.zip")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(said.trim(), "None [('猫.png', '01020304', (2024, 2, 29, 13, 14, 16)), ('empty.txt', '', (2024, 2, 29, 13, 14, 16))]");
});

test("names in a ZIP differ", () =>
  assert.deepEqual(distinct(["a.png", "A.png", "a.png", "b"]), ["a.png", "A (2).png", "a (3).png", "b"]));
