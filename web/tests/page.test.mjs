// SPDX-License-Identifier: Apache-2.0
// page.test.mjs - the page in Chromium, against the real server and network. With SWIN2SR_LONG_TESTS=1, all of it.
// With SHOTS=FOLDER, screenshots of the states are written there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BUILD, drop, openBrowser, openPage, paste, ROOT, row, SAMPLE, Service, shot, stateOf, waitState } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const LONG = process.env.SWIN2SR_LONG_TESTS ? false : "only with SWIN2SR_LONG_TESTS=1";
const LOST = /^Failed to load resource: net::ERR_/;
const REFUSED = /^Failed to load resource: the server responded with a status of 4/; // what the test is about
const coffee = { name: "coffee.png", bytes: readFileSync(SAMPLE) };
const named = (name) => ({ ...coffee, name });
let browser, service;

// A PNG made with Pillow. kind: "noise", which is large, or "gradient", which is small.
function png(width, height, kind, name) {
  const folder = mkdtempSync(join(tmpdir(), "swin2sr-png-")), path = join(folder, name);
  const make = kind === "noise" ? "Image.frombytes('RGB',(w,h),os.urandom(w*h*3))" : "Image.linear_gradient('L').resize((w,h)).convert('RGB')";
  execFileSync("/usr/bin/python3", ["-c", `import sys,os;from PIL import Image;w,h=map(int,sys.argv[1:3]);${make}.save(sys.argv[3])`, String(width), String(height), path]);
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return { name, bytes };
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
    await shot(page, "empty");
    await checkAxe(page, "empty");
    await drop(page, [coffee]);
    await waitState(page, "coffee.png", "done");
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

test("progress is seen moving", async () => {
  await withPage({}, async (page) => {
    const shares = [];
    await page.exposeFunction("noteShare", (value) => shares.push(value));
    await page.evaluate(() => new MutationObserver(() => {
      const bar = document.querySelector("#list progress");
      if (bar && !bar.hidden) window.noteShare(bar.value);
    }).observe(document.getElementById("list"), { subtree: true, childList: true, attributes: true, characterData: true }));
    await drop(page, [png(768, 512, "gradient", "slow.png")]); // the sample is done too soon to be watched
    await waitState(page, "slow.png", "done");
    assert.ok(new Set(shares.filter((share) => share > 0 && share < 1)).size >= 2, `progress is seen moving: ${shares}`);
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

test("a pasted picture, canceled and tried again", async () => {
  await withPage({}, async (page) => {
    const slow = png(420, 420, "noise", "slow.png");
    await paste(page, slow);
    await waitState(page, "slow.png", "running");
    await shot(page, "running");
    await row(page, "slow.png").locator("[data-act=cancel]").click();
    await waitState(page, "slow.png", "canceled");
    await page.locator("#format").selectOption("jpeg");
    assert.equal(await page.locator("#quality").isVisible(), true);
    await page.locator("#quality").fill("60");
    await row(page, "slow.png").locator("[data-act=retry]").click();
    await waitState(page, "slow.png", "done");
    assert.match(await row(page, "slow.png").locator("a[download]").getAttribute("download"), /slow-4x\.jpg/);
  });
});

test("pictures wait for a click where they should, with their time", async () => {
  await withPage({}, async (page) => {
    await page.locator("#auto").uncheck();
    await drop(page, [named("one.png"), named("two.png")]);
    for (const name of ["one.png", "two.png"]) await waitState(page, name, "ready");
    assert.match(await row(page, "one.png").locator(".state").innerText(), /takes about \d+ s/);
    assert.match(await page.locator("#start-all").innerText(), /Start all 2 · about \d+ s/);
    await shot(page, "ready");
    await page.reload();
    assert.equal(await page.locator("#auto").isChecked(), false, "remembered");
    await waitState(page, "one.png", "ready");
    await row(page, "one.png").locator("[data-act=start]").click();
    await waitState(page, "one.png", "done");
    assert.equal(await stateOf(page, "two.png"), "ready");
  });
});

test("the server is killed while a picture is enlarged", async () => {
  await withPage({}, async (page) => {
    await drop(page, [png(420, 420, "noise", "killed.png")]);
    await waitState(page, "killed.png", "running");
    await service.restart();
    await waitState(page, "killed.png", "done");
  }, LOST);
});

test("the server is killed while a picture is sent, and the page is loaded anew", { skip: LONG }, async () => {
  await withPage({}, async (page) => {
    const large = png(2200, 2200, "noise", "large.png");
    const session = await page.context().newCDPSession(page);
    await page.locator("#auto").uncheck();
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 2_000_000 });
    await drop(page, [large]);
    const sent = () => page.evaluate(() => Number(document.querySelector("#list progress").value));
    await page.waitForFunction(() => document.querySelector("#list progress").value > 0.02);
    await service.restart();
    await page.waitForFunction(() => document.querySelector("#list progress").value > 0.05, null, { timeout: 60000 });
    const before = await sent();
    await page.reload();
    await page.waitForSelector("html[data-begun]");
    await waitState(page, "large.png", "interrupted");
    assert.match(await row(page, "large.png").locator(".state").innerText(), /Drop the same file again/);
    await shot(page, "interrupted");
    const offsets = [];
    page.on("request", (request) => { if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"])); });
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await drop(page, [large]);
    await waitState(page, "large.png", "ready");
    assert.equal(await page.locator("#list .row").count(), 1, "it goes on in its own row");
    assert.ok(offsets[0] > 1e6 && before > 0, `it goes on where it stopped: ${offsets}`);
  }, LOST);
});

test("a service with keys asks once, and a shared comparison needs none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "swin2sr-keys-")), keys = join(folder, "keys");
  const key = (name, ...more) => JSON.parse(execFileSync(join(BUILD, "swin2sr"), ["key", "new", name, "--json", "--keys", keys, ...more], { stdio: ["ignore", "pipe", "ignore"] })).key;
  const secret = key("alice"), operator = key("olga", "--admin");
  const guarded = await Service.start("--keys", keys);
  try {
    let link = "";
    await withPage({ permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
      await drop(page, [coffee]);
      await page.locator("#key-input").waitFor();
      await checkAxe(page, "the question for the key");
      await shot(page, "key");
      await page.locator("#key-input").fill("wrong");
      await page.keyboard.press("Enter");
      await page.getByText("not accepted").waitFor();
      await page.locator("#key-input").fill(secret);
      await page.keyboard.press("Enter");
      await waitState(page, "coffee.png", "done");
      await page.reload();
      await openViewer(page);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#key-input").count(), 0, "not asked again");
      assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes("swin2sr_")), false, "the key is not kept");
      const [download] = await Promise.all([page.waitForEvent("download"), row(page, "coffee.png").locator("a[download]").click()]);
      assert.equal(readFileSync(await download.path()).readUInt32BE(16), 960);
      await row(page, "coffee.png").locator("[data-act=share]").click();
      await page.getByText("Link copied").waitFor();
      link = await page.evaluate(() => navigator.clipboard.readText());
    }, REFUSED, guarded.url);
    await withPage({}, async (page) => {
      await page.waitForSelector(".viewer[data-state=shown][data-scale]");
      await shot(page, "shared");
      assert.equal(await page.locator("#key-input").count(), 0);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => location.hash === "");
    }, REFUSED, link);
    await withPage({}, async (page) => page.getByText("no longer exists").waitFor(), REFUSED, link.slice(0, -3) + "000");
    await withPage({}, async (page) => {
      await page.locator("#key-input").fill(secret);
      await page.keyboard.press("Enter");
      await page.getByText("This page is for operators").waitFor();
      await page.evaluate((value) => sessionStorage.setItem("swin2sr.key", value), operator);
      await page.locator("#board").waitFor();
    }, REFUSED, guarded.url + "status");
  } finally {
    await guarded.remove();
    rmSync(folder, { recursive: true });
  }
});

test("a result that is too large to be shown is compared by its preview", async () => {
  await withPage({}, async (page) => {
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await drop(page, [png(4000, 24, "gradient", "wide.png")]);
    await waitState(page, "wide.png", "done");
    assert.match(await row(page, "wide.png").innerText(), /16,000 × 96/);
    await openViewer(page, "wide.png");
    assert.match(await page.locator(".viewer-note").innerText(), /preview of 2,000 × 12\. The file has 16,000 × 96/);
    assert.equal(asked.filter((each) => /\/result\?/.test(each)).length, 0, "the result itself is not loaded");
    await shot(page, "compare-preview");
  });
});

test("in Chinese, dark, 360 pixels wide, by touch", async () => {
  await withPage({ locale: "zh-CN", colorScheme: "dark", viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, async (page) => {
    await shot(page, "zh-empty", { fullPage: true });
    assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
    assert.match(await page.locator("h1").innerText(), /清晰/);
    await drop(page, [coffee]);
    await waitState(page, "coffee.png", "done");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360), "nothing is wider than the screen");
    await checkAxe(page, "Chinese, dark, narrow");
    await shot(page, "zh-done", { fullPage: true });
    await openViewer(page);
    await checkAxe(page, "Chinese comparison");
    const box = await page.locator(".stage").boundingBox();
    const session = await page.context().newCDPSession(page);
    const touch = (type, ...points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await touch("touchStart", [x, y]);
    for (let i = 1; i <= 5; i++) await touch("touchMove", [x - 20 * i, y]);
    await touch("touchEnd");
    assert.ok(Number(await page.locator(".split").inputValue()) < 300, "a finger moves the divider");
    const whole = Number(await page.locator(".viewer").getAttribute("data-scale"));
    await touch("touchStart", [x - 30, y + 90], [x + 30, y + 90]);
    for (let i = 1; i <= 5; i++) await touch("touchMove", [x - 30 - 15 * i, y + 90], [x + 30 + 15 * i, y + 90]);
    await touch("touchEnd");
    await page.waitForTimeout(200);
    assert.ok(Number(await page.locator(".viewer").getAttribute("data-scale")) > 1.5 * whole, "two fingers zoom");
    await page.locator(".viewer [aria-pressed]").click();
    await shot(page, "zh-compare");
  });
});

test("the language and the colours can be switched, and are remembered", async () => {
  await withPage({}, async (page) => {
    await drop(page, [named("kept.png")]);
    await waitState(page, "kept.png", "done");
    await page.locator("#language").click();
    assert.match(await page.locator("h1").innerText(), /清晰/);
    assert.match(await row(page, "kept.png").locator("a[download]").innerText(), /下载/);
    assert.match(await row(page, "kept.png").locator(".state").innerText(), /已完成/);
    await page.locator("#theme").click();
    assert.equal(await page.evaluate(() => getComputedStyle(document.body.parentElement).colorScheme), "dark");
    await checkAxe(page, "switched");
    await page.goto(service.url);
    await page.waitForURL(/lang=zh/);
    await page.waitForSelector("html[data-begun]");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await page.locator("#language").click();
    assert.match(await page.locator("h1").innerText(), /larger/);
  });
});

test("a format that the browser cannot show, and more settings", async () => {
  await withPage({}, async (page) => {
    await page.locator(".more summary").click();
    await checkAxe(page, "more settings");
    await shot(page, "more", { fullPage: true });
    await page.locator("#compression").selectOption("fast");
    await page.locator("#format").selectOption("tiff");
    assert.equal(await page.locator("#compression").isDisabled(), true);
    await drop(page, [coffee]);
    await waitState(page, "coffee.png", "done");
    assert.match(await row(page, "coffee.png").locator("a[download]").getAttribute("download"), /\.tif$/);
    await row(page, "coffee.png").locator("[data-act=compare]").click();
    await page.locator(".viewer").getByText("cannot show this format").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#format").selectOption("png");
    await row(page, "coffee.png").locator("[data-act=again]").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-state=done]").length === 2 || (document.querySelector("[data-state=ready] [data-act=start]")?.click(), false), null, { timeout: 120000 });
  });
});

test("sizes, strength and frames are what the service is asked for", async () => {
  const animation = { name: "moves.gif", bytes: readFileSync(join(ROOT, "fuzz/corpus/frames/disposals.gif")) };
  await withPage({}, async (page) => {
    const asked = [];
    page.on("request", (request) => { if (/v1\/jobs\?/.test(request.url())) asked.push(Object.fromEntries(new URL(request.url()).searchParams)); });
    await page.locator(".more summary").click();
    assert.equal(await page.locator("#side").isVisible(), false);
    await page.locator("#scale").selectOption("fit");
    await page.locator("#side").fill("70000");
    await page.locator("#side").blur();
    assert.equal(await page.locator("#side").inputValue(), "65535");
    await page.locator("#side").fill("90");
    await page.locator("#side").blur();
    await page.locator("#strength").fill("0.5");
    await page.locator("#metadata").selectOption("strip");
    await shot(page, "sizes", { fullPage: true });
    await checkAxe(page, "sizes");
    await drop(page, [coffee]);
    await waitState(page, "coffee.png", "done");
    assert.match(await row(page, "coffee.png").locator(".meta").innerText(), /→ 90 ×/);
    await page.reload();
    await page.waitForSelector("html[data-begun]");
    assert.equal(await page.locator("#side").inputValue(), "90", "remembered");
    await page.locator(".more summary").click();
    await page.locator("#scale").selectOption("2");
    assert.equal(await page.locator("#side").isVisible(), false);
    await page.locator("#batch_mode").selectOption("true");
    await page.locator("#format").selectOption("gif");
    await drop(page, [animation]);
    await waitState(page, "moves.gif", "done");
    const { fit, scale, strength, metadata, batch_mode: frames } = asked[0];
    assert.deepEqual([fit, scale, strength, metadata, frames], ["90x90", undefined, "0.5", "strip", "false"]);
    assert.deepEqual([asked[1].fit, asked[1].scale, asked[1].batch_mode], [undefined, "2", "true"]);
  });
});

test("a service that keeps nothing", async () => {
  const plain = await Service.start("--no-data");
  try {
    await withPage({}, async (page) => {
      await drop(page, [coffee, { name: "bad.png", bytes: Buffer.from("not a picture") }]);
      await waitState(page, "coffee.png", "done");
      await waitState(page, "bad.png", "failed");
      assert.match(await page.locator(".notes").innerText(), /not stored/);
      assert.equal(await row(page, "coffee.png").locator("[data-act=share]").count(), 0);
      const [download] = await Promise.all([page.waitForEvent("download"), row(page, "coffee.png").locator("a[download]").click()]);
      assert.equal(download.suggestedFilename(), "coffee-4x.png");
      await openViewer(page);
    }, REFUSED, plain.url);
  } finally {
    await plain.remove();
  }
});

test("the page of an operator", async () => {
  await withPage({}, async (page) => {
    await page.locator("#board").waitFor();
    await checkAxe(page, "status");
    await shot(page, "status", { fullPage: true });
    await page.setViewportSize({ width: 360, height: 780 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
    await page.locator("#language").click();
    assert.match(await page.locator("h1").innerText(), /服务状态/);
    await shot(page, "status-zh", { fullPage: true });
  }, /$^/, service.url + "status");
});

test("more pictures than the service keeps uploads for, started with one click", { skip: LONG }, async () => {
  await withPage({}, async (page) => {
    const small = png(16, 16, "noise", "x.png").bytes;
    await page.locator("#auto").uncheck();
    await drop(page, Array.from({ length: 120 }, (_, i) => ({ name: `small${i}.png`, bytes: small })));
    await page.waitForFunction(() => document.querySelectorAll("[data-state=ready]").length === 40, null, { timeout: 60000 });
    assert.match(await page.locator("#start-all").innerText(), /Start all 120/);
    await page.locator("#start-all").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-state=done]").length === 120, null, { timeout: 240000 });
    assert.equal((await (await fetch(service.url + "metrics")).text()).match(/^swin2sr_uploads (\d+)/m)[1], "0", "no upload is left");
  }, REFUSED);
});

test("a folder, in the order of its names", async () => {
  await withPage({}, async (page) => {
    const folder = mkdtempSync(join(tmpdir(), "swin2sr-folder-"));
    for (const name of ["b10.png", "b9.png"]) writeFileSync(join(folder, name), coffee.bytes);
    writeFileSync(join(folder, "readme.txt"), "text");
    await page.locator("#auto").uncheck();
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.locator("#pick-folder").click()]);
    await chooser.setFiles(folder);
    await waitState(page, "b10.png", "ready");
    await waitState(page, "b9.png", "ready");
    assert.equal(await page.locator("#list .row").count(), 2);
    await page.getByText("1 file was not a picture").waitFor();
    rmSync(folder, { recursive: true });
  });
});
