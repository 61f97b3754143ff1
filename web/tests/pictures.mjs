#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// pictures.mjs - take the pictures of the page that README.md and README.zh-CN.md show.
// usage: node web/tests/pictures.mjs FOLDER (docs/samples)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drop, openBrowser, openPage, row, SAMPLE, Service, waitState } from "./harness.mjs";

const folder = process.argv[2], scratch = mkdtempSync(join(tmpdir(), "swin2sr-pictures-"));
const CROPS = { "spoon.png": [120, 70, 240, 160], "saucer.png": [20, 40, 220, 160] };

function crop(name) {
  execFileSync("/usr/bin/python3", ["-c", "import sys;from PIL import Image;Image.open(sys.argv[1]).crop(tuple(map(int,sys.argv[3:]))).save(sys.argv[2])",
    SAMPLE, join(scratch, name), ...CROPS[name].map(String)]);
  return { name, bytes: readFileSync(join(scratch, name)) };
}

async function take(browser, service, locale, ending) {
  const page = await openPage(browser, service.url, { locale, viewport: { width: 1120, height: 880 } });
  const save = (name) => page.screenshot({ path: join(folder, `${name}${ending}.jpg`), type: "jpeg", quality: 88 });
  await drop(page, [SAMPLE]);
  await waitState(page, "coffee.png", "done");
  await page.locator("#auto").uncheck();
  await drop(page, [crop("spoon.png"), crop("saucer.png")]);
  await waitState(page, "saucer.png", "ready");
  await row(page, "spoon.png").locator("[data-act=start]").click();
  await page.waitForFunction(() => Number(document.querySelector("[data-state=running] progress")?.value) > 0.25);
  await page.evaluate(() => scrollTo(0, 0));
  await save("page");
  await waitState(page, "spoon.png", "done");
  await row(page, "coffee.png").locator("[data-act=compare]").click();
  await page.waitForSelector(".viewer[data-state=shown][data-scale]");
  await page.locator(".viewer [aria-pressed]").click();
  await page.mouse.move(690, 240);
  await page.waitForTimeout(200);
  await save("page-compare");
  await page.context().close();
}

const [browser, service] = await Promise.all([openBrowser(), Service.start()]);
try {
  await take(browser, service, "en-GB", "");
  await take(browser, service, "zh-CN", ".zh-CN");
} finally {
  await browser.close();
  await service.remove();
  rmSync(scratch, { recursive: true });
}
