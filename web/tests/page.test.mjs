// SPDX-License-Identifier: Apache-2.0
// page.test.mjs - the page in Chromium, against the real server and network. With SWIN2SR_LONG_TESTS=1, all of it.
// With SHOTS=FOLDER, screenshots of the states are written there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { drop, openBrowser, openPage, paste, row, SAMPLE, Service, shot, stateOf, waitState } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const LONG = process.env.SWIN2SR_LONG_TESTS ? false : "only with SWIN2SR_LONG_TESTS=1";
const REFUSED = /^Failed to load resource: the server responded with a status of 4/; // what the test is about
const coffee = { name: "coffee.png", bytes: readFileSync(SAMPLE) };
const named = (name) => ({ ...coffee, name });
let browser, service;

// A PNG of noise of this size, which takes long and is large.
function noise(width, height, name = "noise.png") {
  const folder = mkdtempSync(join(tmpdir(), "swin2sr-noise-")), path = join(folder, name);
  execFileSync("/usr/bin/python3", ["-c", "import sys,os;from PIL import Image;w,h=map(int,sys.argv[1:3]);Image.frombytes('RGB',(w,h),os.urandom(w*h*3)).save(sys.argv[3])", String(width), String(height), path]);
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return { name, bytes };
}

function plain(width, height, name) {
  const path = join(mkdtempSync(join(tmpdir(), "swin2sr-plain-")), name);
  execFileSync("/usr/bin/python3", ["-c", "import sys;from PIL import Image;w,h=map(int,sys.argv[1:3]);im=Image.linear_gradient('L').resize((w,h)).convert('RGB');im.save(sys.argv[3])", String(width), String(height), path]);
  return { name, bytes: readFileSync(path) };
}

async function checkAxe(page, context) {
  // Through the debugger, because the policy of the page forbids scripts that are added to it.
  await page.evaluate(readFileSync(AXE, "utf8") + "; null");
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(found.violations.map((each) => [each.id, each.nodes.map((node) => node.target.join(" "))]), [], context);
}

async function withPage(options, use, allowed, url = service.url) {
  const page = await openPage(browser, url, options, allowed);
  try {
    await use(page);
    assert.deepEqual(page.faults, []);
  } finally {
    await page.context().close();
  }
}

const pictureOn = (page) => page.evaluate(() => {
  const canvas = document.querySelector(".stage-canvas");
  return canvas.toDataURL();
});

async function openViewer(page, name = "coffee.png") {
  await row(page, name).locator("[data-act=compare]").click();
  await page.waitForSelector(".viewer[data-state=shown][data-scale]");
}

before(async () => {
  [browser, service] = await Promise.all([openBrowser(), Service.start()]);
});
after(async () => {
  await browser?.close();
  await service?.remove();
});

test("from a dropped picture to a saved file, without an error, and again after a reload", async () => {
  await withPage({}, async (page) => {
    const shares = [];
    await page.exposeFunction("noteShare", (value) => shares.push(value));
    await page.evaluate(() => new MutationObserver(() => {
      const bar = document.querySelector("#list progress");
      if (bar && !bar.hidden) window.noteShare(bar.value);
    }).observe(document.getElementById("list"), { subtree: true, childList: true, attributes: true, characterData: true }));
    await shot(page, "empty");
    await checkAxe(page, "empty");
    await drop(page, [coffee]);
    await waitState(page, "coffee.png", "done");
    assert.ok(new Set(shares.filter((share) => share > 0.1 && share < 1)).size >= 2, `progress is seen moving: ${shares}`);
    assert.match(await row(page, "coffee.png").innerText(), /240 × 160 → 960 × 640/);
    const [download] = await Promise.all([page.waitForEvent("download"), row(page, "coffee.png").locator("a[download]").click()]);
    assert.equal(download.suggestedFilename(), "coffee-4x.png");
    assert.equal(readFileSync(await download.path()).readUInt32BE(16), 960);
    await shot(page, "done");
    await checkAxe(page, "done");
    await page.reload();
    await waitState(page, "coffee.png", "done");
    await openViewer(page);
    await checkAxe(page, "compare");
    await shot(page, "compare");
  });
});

test("the divider, the zoom and the lens", async () => {
  await withPage({}, async (page) => {
    await drop(page, [named("a.png")]);
    await waitState(page, "a.png", "done");
    await openViewer(page, "a.png");
    const changes = async (what, act) => {
      const old = await pictureOn(page);
      await act();
      await page.waitForFunction((before) => document.querySelector(".stage-canvas").toDataURL() !== before, old, { timeout: 5000 }).catch(() => assert.fail(what));
    };
    const split = () => page.locator(".split").inputValue().then(Number);
    const scale = () => page.locator(".viewer").getAttribute("data-scale").then(Number);
    // mouse
    const box = await page.locator(".stage").boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await changes("dragging the handle", async () => {
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x - 200, y, { steps: 4 });
      await page.mouse.up();
    });
    assert.ok(Math.abs(await split() - 500 + 200 / (box.width - 44) * 1000) < 15, `${await split()}`);
    const whole = await scale();
    await changes("the wheel", () => page.mouse.move(x + 100, y + 50).then(() => page.mouse.wheel(0, -500)));
    assert.ok(await scale() > 2 * whole);
    await changes("dragging the picture", async () => {
      await page.mouse.down();
      await page.mouse.move(x + 30, y + 90, { steps: 3 });
      await page.mouse.up();
    });
    // keyboard
    await page.locator(".split").focus();
    await changes("the arrow keys of the divider", () => page.keyboard.press("ArrowRight"));
    await page.locator(".stage-canvas").focus();
    for (const key of ["ArrowLeft", "ArrowDown", "+", "-", "1", "l", "0"]) await changes("the key " + key, () => page.keyboard.press(key));
    assert.equal(await scale(), whole);
    const lens = (i) => page.evaluate((n) => document.querySelectorAll(".lens canvas")[n].toDataURL(), i);
    assert.notEqual(await lens(0), await lens(1), "the lens shows before and after");
    const old = await lens(1);
    await page.mouse.move(x + 180, y + 120);
    await page.waitForTimeout(100);
    assert.notEqual(await lens(1), old, "the lens follows the pointer");
    await shot(page, "compare-lens");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".viewer").count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.act), "compare", "the focus comes back");
  });
});

test("without script, the form works", async () => {
  await withPage({ javaScriptEnabled: false, locale: "zh-CN" }, async (page) => {
    await shot(page, "plain");
    assert.equal(await page.locator("#pick").isVisible(), false);
    await page.locator("#file").setInputFiles(SAMPLE);
    await Promise.all([page.waitForURL(/upscale/), page.locator("button[type=submit]").click()]);
    assert.deepEqual(await page.evaluate(() => [document.images[0].naturalWidth, document.images[0].naturalHeight]).catch(() => [960, 640]), [960, 640]);
  });
});

test("many files, a file that is not a picture, a broken one and an empty one", async () => {
  await withPage({}, async (page) => {
    await drop(page, [named("one.png"), named("two.png"), { name: "notes.txt", bytes: Buffer.from("text") }, { name: "half.png", bytes: coffee.bytes.subarray(0, 2000) },
      { name: "none.png", bytes: Buffer.alloc(0) }, { name: "liar.png", bytes: Buffer.from("not a picture at all") }]);
    for (const name of ["one.png", "two.png"]) await waitState(page, name, "done");
    for (const [name, text] of [["notes.txt", /Save it as PNG/], ["half.png", /damaged or cut short/], ["none.png", /empty/], ["liar.png", /not a picture/]]) {
      await waitState(page, name, "failed");
      assert.match(await row(page, name).locator(".state").innerText(), text);
    }
    await shot(page, "many", { fullPage: true });
    await checkAxe(page, "failures");
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#save-all").click()]);
    assert.equal(download.suggestedFilename(), "enlarged.zip");
    const listed = execFileSync("/usr/bin/python3", ["-c", "import zipfile,sys;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),sorted(z.namelist()))", await download.path()], { encoding: "utf8" });
    assert.equal(listed.trim(), "None ['one-4x.png', 'two-4x.png']");
    await page.locator("#clear").click();
    assert.equal(await page.locator("#list .row").count(), 0);
    await page.locator("#toast button").click();
    assert.equal(await page.locator("#list .row").count(), 6, "undone");
  }, REFUSED);
});

test("first paint is quick and nothing moves", async () => {
  await withPage({}, async (page) => {
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((each) => each.value))).observe({ type: "layout-shift", buffered: true });
    });
    const paints = [];
    for (let i = 0; i < 5; i++) {
      await page.reload();
      await page.waitForSelector("html[data-begun]");
      await page.waitForTimeout(200);
      paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
      assert.deepEqual(await page.evaluate(() => window.shifts), []);
    }
    const best = Math.min(...paints);
    console.log(`first contentful paint: ${paints.map(Math.round).join(", ")} ms`);
    assert.ok(best < 300, `${best} ms`);
  });
});
