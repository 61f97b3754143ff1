// SPDX-License-Identifier: Apache-2.0
// read.mjs - what other programs see in image files: libvips (through sharp), and Chromium.
// usage: node read.mjs libvips|chromium FOLDER < LIST
// In: a JSON list of {path, type, isAnimated}.  Out: FOLDER/N.rgba with the frames of file N, 8 bits, alpha not multiplied
// into the colours: sRGB from libvips; from Chromium Display P3, and animations as they are stored. On standard output a
// JSON list of {width, height, frames, delays (seconds), plays, ...} or {error}, in the order of the files.
// Environment: CHROMIUM (/usr/bin/chromium).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , reader, folder] = process.argv;
const files = JSON.parse(readFileSync(0, "utf8"));
const keep = (number, bytes) => writeFileSync(join(folder, `${number}.rgba`), bytes);

async function readWithLibvips() {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  return (file, number) => {
    const image = sharp(file.path, { failOn: "warning", pages: file.isAnimated ? -1 : 1, autoOrient: !file.isAnimated });
    const pixels = image.toColourspace("srgb").ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return Promise.all([pixels, sharp(file.path, { pages: file.isAnimated ? -1 : 1 }).metadata()]).then(([{ data, info }, about]) => {
      const frames = about.pages && file.isAnimated ? about.pages : 1;
      keep(number, data);
      return {
        width: info.width, height: info.height / frames, frames, plays: about.loop, delays: (about.delay || []).map((ms) => ms / 1000),
        depth: about.depth, density: about.density, orientation: about.orientation || 1, hasProfile: about.hasProfile,
        hasExif: Boolean(about.exif), hasXmp: Boolean(about.xmp), hasAlpha: about.hasAlpha,
      };
    });
  };
}

// In the page: the picture as it is shown, or each frame of an animation.
async function readInPage({ number, type, isAnimated }) {
  const parts = [], found = { frames: 1, delays: [] };
  if (isAnimated) {
    const decoder = new ImageDecoder({ data: (await fetch(`/${number}`)).body, type, premultiplyAlpha: "none", colorSpaceConversion: "none" });
    await decoder.completed;
    const track = decoder.tracks.selectedTrack;
    Object.assign(found, { frames: track.frameCount, plays: track.repetitionCount === Infinity ? 0 : track.repetitionCount + 1 });
    for (let frameIndex = 0; frameIndex < track.frameCount; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex });
      const bytes = new Uint8Array(image.codedWidth * image.codedHeight * 4);
      await image.copyTo(bytes, { format: "RGBA" });
      parts.push(bytes);
      found.delays.push(image.duration / 1e6);
      Object.assign(found, { width: image.codedWidth, height: image.codedHeight });
      image.close();
    }
  } else {
    const image = new Image();
    image.src = `/${number}`;
    await image.decode();
    Object.assign(found, { width: image.naturalWidth, height: image.naturalHeight });
    const canvas = new OffscreenCanvas(found.width, found.height), settings = { colorSpace: "display-p3" };
    const context = canvas.getContext("2d", settings);
    context.drawImage(image, 0, 0);
    parts.push(new Uint8Array(context.getImageData(0, 0, found.width, found.height, settings).data.buffer));
  }
  const text = parts.map((bytes) => {
    let binary = "";
    for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(binary);
  });
  return { found, text };
}

async function readWithChromium() {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--disable-background-networking", "--disable-component-update"] });
  const page = await browser.newPage();
  await page.route("https://files.test/**", (route) => {
    const file = files[new URL(route.request().url()).pathname.slice(1) || -1];
    return route.fulfill(file ? { contentType: file.type, body: readFileSync(file.path) } : { contentType: "text/html", body: "<!doctype html>" });
  });
  await page.goto("https://files.test/");
  const read = async (file, number) => {
    const { found, text } = await page.evaluate(readInPage, { number, type: file.type, isAnimated: file.isAnimated });
    keep(number, Buffer.concat(text.map((each) => Buffer.from(each, "base64"))));
    return found;
  };
  read.end = () => browser.close();
  return read;
}

const read = await { libvips: readWithLibvips, chromium: readWithChromium }[reader]();
const results = [];
for (const [number, file] of files.entries()) results.push(await read(file, number).catch((error) => ({ error: String(error) })));
await read.end?.();
console.log(JSON.stringify(results));
