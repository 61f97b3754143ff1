// SPDX-License-Identifier: Apache-2.0
// harness.mjs - a real server with real workers, and a real browser, for the tests of the page.
// Environment: SWIN2SR_BUILD (build), CHROMIUM (chromium), SHOTS (a folder: screenshots are written there).
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const BUILD = resolve(process.env.SWIN2SR_BUILD || join(ROOT, "build"));
export const SAMPLE = join(ROOT, "docs/samples/coffee.png");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

// ---- the service ----

export class Service {
  // More arguments of swin2sr-server. The data folder stays until remove(), so that a second server can go on with it.
  static async start(...more) {
    const self = new Service();
    self.folder = mkdtempSync(join(tmpdir(), "swin2sr-page-"));
    self.more = more;
    await self.launch(0);
    return self;
  }

  async launch(port) {
    const places = this.more.includes("--no-data") ? ["--spool", this.folder] : ["--data", join(this.folder, "data")];
    this.process = spawn(join(BUILD, "swin2sr-server"),
      ["--listen", `127.0.0.1:${port}`, "--workers", "1", ...places, ...this.more.filter((each) => each !== "--no-data")], { stdio: ["ignore", "pipe", "inherit"] });
    this.ended = new Promise((done) => this.process.once("exit", done));
    const lines = createInterface({ input: this.process.stdout });
    const first = JSON.parse(await new Promise((done) => lines.once("line", done)));
    this.port = first.port;
    this.url = `http://127.0.0.1:${this.port}/`;
    lines.on("line", () => {});
    for (let i = 0; (await fetch(this.url + "readyz")).status !== 200; i++) {
      if (i > 600) throw new Error("the server is not ready");
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  // As a crash, on the same port and folder.
  async restart() {
    this.process.kill("SIGKILL");
    await this.ended;
    await this.launch(this.port);
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// ---- the browser ----

export const openBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: FLAGS });

// A page that fails the test on any error in its console and on any request to somewhere else.
// options: of newContext. allowed: a pattern of console errors that belong to the test.
export async function openPage(browser, url, options = {}, allowed = /$^/) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("console", (message) => { if (message.type() === "error" && !allowed.test(message.text())) page.faults.push(message.text()); });
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (!["blob:", "data:"].includes(address.protocol) && address.origin !== new URL(url).origin) page.faults.push("request to " + address.origin);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.waitForSelector("html[data-begun]");
  return page;
}

export async function shot(page, name, options = {}) {
  if (!process.env.SHOTS) return;
  mkdirSync(process.env.SHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SHOTS, name + ".png"), ...options });
}

// ---- what people do ----

const fileFor = (file) => (typeof file === "string" ? { name: file.replace(/.*\//, ""), bytes: readFileSync(file) } : file);
const typeOf = (name) => ({ png: "image/png", jpg: "image/jpeg", webp: "image/webp", gif: "image/gif", txt: "text/plain" })[name.replace(/.*\./, "")] || "";

// Drop files somewhere on the page, as a person does with the mouse. files: paths, or { name, bytes }.
export async function drop(page, files, selector = "body") {
  const data = files.map(fileFor).map(({ name, bytes }) => ({ name, type: typeOf(name), text: Buffer.from(bytes).toString("base64") }));
  await page.evaluate(([all, place]) => {
    const transfer = new DataTransfer();
    for (const each of all) transfer.items.add(new File([Uint8Array.from(atob(each.text), (char) => char.charCodeAt(0))], each.name, { type: each.type, lastModified: 1700000000000 }));
    for (const kind of ["dragenter", "dragover", "drop"]) document.querySelector(place).dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, [data, selector]);
}

export async function paste(page, file) {
  const { name, bytes } = fileFor(file);
  await page.evaluate(([fileName, type, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], fileName, { type }));
    document.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: transfer }));
  }, [name, typeOf(name), Buffer.from(bytes).toString("base64")]);
}

export const row = (page, name) => page.locator("#list .row", { has: page.locator(".name", { hasText: name }) }).first();
export const stateOf = (page, name) => row(page, name).getAttribute("data-state");

// Wait until a picture has one of these states. On a busy machine the predicted time is long, and then a picture waits
// for a click even where pictures start by themselves.
export async function waitState(page, name, ...states) {
  await page.waitForFunction(([text, wanted]) => {
    const found = [...document.querySelectorAll("#list .row")].find((each) => each.querySelector(".name").textContent === text);
    if (!found || wanted.includes(found.dataset.state)) return Boolean(found);
    if (found.dataset.state === "ready" && document.getElementById("auto").checked) found.querySelector("[data-act=start]")?.click();
    return false;
  }, [name, states], { timeout: 240000, polling: 50 });
}
