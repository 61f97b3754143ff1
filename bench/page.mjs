#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// bench/page.mjs - how long the page takes in Chromium, with the service of this build: to its first paint, from a
// dropped picture of 512x512 pixels to its result, and to a comparison; and the memory of the tab with the largest
// comparison, a result of 6000x4000 pixels (--large).
// usage: node bench/page.mjs [--large]   after `make page`; needs chromium. Environment: SWIN2SR_BUILD, CHROMIUM.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { drop, openBrowser, openPage, row, SAMPLE, Service, waitState } from "../web/tests/harness.mjs";

const scratch = mkdtempSync(join(tmpdir(), "swin2sr-bench-"));

function picture(width, height, name) {
  const path = join(scratch, name);
  execFileSync("/usr/bin/python3", ["-c", "import sys;from PIL import Image;Image.open(sys.argv[1]).convert('RGB').resize((int(sys.argv[3]),int(sys.argv[4])),3).save(sys.argv[2])",
    SAMPLE, path, String(width), String(height)]);
  return { name, bytes: readFileSync(path) };
}

// MB of the processes of tabs.
function tabs() {
  let kib = 0;
  for (const pid of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
    } catch {
      // It has ended.
    }
  }
  return Math.round(kib / 1024);
}

async function compare(page, name) {
  const begun = performance.now();
  await row(page, name).locator("[data-act=compare]").click();
  await page.waitForSelector(".viewer[data-state=shown][data-scale]");
  return Math.round(performance.now() - begun);
}

const [browser, service] = await Promise.all([openBrowser(), Service.start()]);
try {
  console.log(`${cpus().length} x ${cpus()[0].model}`);
  const page = await openPage(browser, service.url);
  console.log(`first contentful paint: ${Math.round(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime))} ms`);
  for (let i = 0; i < 3; i++) {
    const name = `bench${i}.png`, one = picture(512, 512, name), begun = performance.now();
    await drop(page, [one]);
    await waitState(page, name, "done");
    console.log(`512x512, from drop to result: ${((performance.now() - begun) / 1000).toFixed(2)} s`);
  }
  console.log(`from the button to the comparison: ${await compare(page, "bench0.png")} ms; tab: ${tabs()} MB`);
  await page.keyboard.press("Escape");
  if (process.argv.includes("--large")) {
    await drop(page, [picture(1500, 1000, "large.png")]);
    await waitState(page, "large.png", "ready", "done");
    if (await row(page, "large.png").getAttribute("data-state") === "ready") await row(page, "large.png").locator("[data-act=start]").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-state=done]").length === 4, null, { timeout: 1200000 });
    const before = tabs(), took = await compare(page, "large.png");
    console.log(`6000x4000: comparison after ${took} ms; tab: ${before} MB before, ${tabs()} MB with it`);
  }
} finally {
  await browser.close();
  await service.remove();
  rmSync(scratch, { recursive: true });
}
