// SPDX-License-Identifier: Apache-2.0
// intake.js - files from wherever people have them: dropped anywhere, pasted, chosen, or a whole folder.
import { byId } from "./dom.js";

export const MOST = 500; // pictures added at a time

function readEntries(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

// All files below an entry, in the order of their names.
async function collect(entry, files) {
  if (files.length > MOST) return;
  if (entry.isFile) {
    files.push(await fileOf(entry));
    return;
  }
  const reader = entry.createReader(), entries = [];
  for (let some = await readEntries(reader); some.length && entries.length <= 10 * MOST; some = await readEntries(reader)) entries.push(...some);
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  for (const each of entries) await collect(each, files);
}

async function filesOf(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.());
  if (!entries.length || entries.some((entry) => !entry)) return { files: [...transfer.files], isFolder: false };
  const files = [];
  for (const entry of entries) await collect(entry, files);
  return { files, isFolder: entries.some((entry) => entry.isDirectory) };
}

const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");

function listenForDrops(take) {
  const over = byId("over");
  let depth = 0;
  const show = (isOver) => { over.hidden = !isOver; };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth++;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    const { files, isFolder } = await filesOf(event.dataTransfer).catch(() => ({ files: [], isFolder: false }));
    take(files, isFolder);
  });
}

// take(files, isFolder)
export function listenForFiles(take) {
  const input = byId("file");
  listenForDrops(take);
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length) return;
    event.preventDefault();
    take(files, false);
  });
  input.multiple = true;
  input.required = false;
  const choose = (isFolder) => {
    input.webkitdirectory = isFolder;
    input.click();
  };
  byId("pick").addEventListener("click", () => choose(false));
  byId("pick-folder").addEventListener("click", () => choose(true));
  if (!("webkitdirectory" in input) || matchMedia("(pointer: coarse) and (hover: none)").matches) byId("pick-folder").hidden = true;
  input.addEventListener("change", () => {
    const files = [...input.files];
    const isFolder = input.webkitdirectory;
    input.value = "";
    input.webkitdirectory = false;
    if (files.length) take(files, isFolder);
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());
}
