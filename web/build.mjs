#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// web/build.mjs - bundle the page's modules and styles, and write them with the hash of their content in their names,
// and compressed, to a folder (dist/, which is committed: nobody needs Node to build or run the service).
// usage: node build.mjs [FOLDER]
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = process.argv[2] || join(HERE, "dist");
const SCRIPTS = { "app.js": "src/app.js", "status.js": "src/status.js", "early.js": "src/early.js", "style.css": "src/style.css" };
const LICENCE = "/* SPDX-License-Identifier: Apache-2.0";
const FOREIGN = " - with tus-js-client, url-parse, querystringify, requires-port (MIT) and js-base64 (BSD-3-Clause): see NOTICE */";

async function bundle(entry) {
  const result = await build({
    absWorkingDir: HERE, entryPoints: [entry], bundle: true, minify: true, write: false, charset: "utf8",
    format: entry.endsWith(".css") ? undefined : "esm", target: ["chrome109", "firefox115", "safari16.4"],
    legalComments: "none", banner: { js: LICENCE + (entry === SCRIPTS["app.js"] ? FOREIGN : " */"), css: LICENCE + " */" },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function keep(name, bytes, names) {
  const [stem, ending] = name.split(".");
  names[name] = `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.${ending}`;
  writeFileSync(join(OUT, names[name]), bytes);
  writeFileSync(join(OUT, names[name] + ".gz"), gzipSync(bytes, { level: 9 }));
  writeFileSync(join(OUT, names[name] + ".br"), brotliCompressSync(bytes,
    { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
}

mkdirSync(OUT, { recursive: true });
for (const old of readdirSync(OUT)) rmSync(join(OUT, old));
const names = {};
for (const [name, entry] of Object.entries(SCRIPTS)) keep(name, await bundle(entry), names);
keep("icon.svg", readFileSync(join(HERE, "src/icon.svg")), names);
writeFileSync(join(OUT, "assets.json"), JSON.stringify(names, null, 2) + "\n");
