// SPDX-License-Identifier: Apache-2.0
// app.js - the page: files come in (intake.js), become pictures in a list (list.js), and are enlarged (work.js, or
// direct.js where the service keeps nothing).
import { openComparison, openSharedComparison, shareAddress } from "./compare.js";
import { makeDirect } from "./direct.js";
import { byId } from "./dom.js";
import { faultText } from "./faults.js";
import { listenForFiles, MOST } from "./intake.js";
import * as key from "./key.js";
import { makeList } from "./list.js";
import { fromKept, isAtWork, isSameFile, pictureOf } from "./picture.js";
import { loadPictures, rememberPictures } from "./remember.js";
import { saveAll } from "./save.js";
import { address, facts, pathOf, randomId, request } from "./service.js";
import { nameSettings, offerSettings, settings, startsByItself } from "./settings.js";
import { offerThemes } from "./theme.js";
import { thumbOf } from "./thumb.js";
import { say } from "./toast.js";
import { makeWork } from "./work.js";
import { number, offerLanguages, plural, t, when } from "./words.js";

const SHORT_S = 60; // predicted work that starts by itself; and all of it together at most twice as long
const REMOVED_AFTER_MS = 8000;
const pictures = [];
const leaving = new Map(); // removed from the list, and soon from the server: picture -> timer

// ---- work ----

const secondsOf = (picture) => (picture.estimate ? picture.estimate.seconds : SHORT_S);

function shouldStart(picture) {
  const ahead = pictures.filter(isAtWork).reduce((sum, each) => sum + (each.eta ?? secondsOf(each)), 0);
  return picture.isWanted || startsByItself() && secondsOf(picture) <= SHORT_S && ahead + secondsOf(picture) <= 2 * SHORT_S;
}

function onChange(picture) {
  list.show(picture);
  rememberPictures(pictures);
}

const work = (facts.hasJobs ? makeWork : makeDirect)(pictures, onChange, shouldStart);
const list = makeList(pictures, { act, startAll, saveAll: saveAllDone, clear });

// ---- pictures come ----

const isPicture = (file) => byId("file").accept.split(",").includes(file.type) || (!file.type && !/\.\w+$/.test(file.name));

function addOne(file) {
  const known = pictures.find((picture) => picture.state === "interrupted" && !picture.file && isSameFile(picture, file));
  if (known) {
    Object.assign(known, { file, state: "new" });
    return list.show(known);
  }
  const picture = pictureOf(file, settings());
  if (file.size === 0) Object.assign(picture, { state: "failed", error: { code: "missing_file" } });
  else if (!isPicture(file)) Object.assign(picture, { state: "failed", error: { code: "unsupported_image" } });
  else if (file.size > facts.maxBytes) Object.assign(picture, { state: "failed", error: { code: "body_too_large", limit: facts.maxBytes, actual: file.size } });
  pictures.push(picture);
  list.add(picture);
  if (picture.state !== "failed" || picture.error.code === "body_too_large") addThumb(picture);
}

async function addThumb(picture) {
  picture.thumb = await thumbOf(picture.file) || undefined;
  onChange(picture);
}

function addFiles(files, isFolder) {
  const wanted = isFolder ? files.filter(isPicture) : files;
  const first = pictures.length;
  wanted.slice(0, MOST).forEach(addOne);
  if (pictures[first]) list.reveal(pictures[first]);
  if (wanted.length > MOST) say(t("drop.many", { n: number(MOST) }));
  else if (files.length > wanted.length) say(plural("drop.skipped", files.length - wanted.length));
  rememberPictures(pictures);
  work.pump();
}

// A finished picture once more, with the settings of now.
async function again(picture) {
  const copy = { ...picture, id: randomId(), state: "new", options: settings(), file: picture.file };
  for (const name of ["job", "result", "requestKey", "plan", "notes", "error", "blob", "blobAddress", "progress", "eta", "upload", "uploadId", "isWanted"]) delete copy[name];
  if (!copy.file) {
    const answer = await request(pathOf(picture.job, "input")).catch(() => null);
    if (!answer) return say(t("error.not_found"));
    copy.file = new File([await answer.blob()], picture.name, { type: picture.type });
  }
  pictures.push(copy);
  list.add(copy);
  work.pump();
}

// ---- pictures leave ----

function removeFromServer(picture) {
  clearTimeout(leaving.get(picture));
  leaving.delete(picture);
  if (picture.blobAddress) URL.revokeObjectURL(picture.blobAddress);
  work.forget(picture);
}

function remove(some) {
  for (const picture of some) {
    work.stop(picture);
    pictures.splice(pictures.indexOf(picture), 1);
    list.remove(picture);
    leaving.set(picture, setTimeout(() => removeFromServer(picture), REMOVED_AFTER_MS));
  }
  rememberPictures(pictures);
  say(plural("list.removed", some.length), { label: t("list.undo"), run: () => some.forEach(bringBack) });
}

function bringBack(picture) {
  if (!leaving.has(picture)) return;
  clearTimeout(leaving.get(picture));
  leaving.delete(picture);
  pictures.push(picture);
  list.add(picture);
  rememberPictures(pictures);
  work.pump();
}

addEventListener("pagehide", () => [...leaving.keys()].forEach(removeFromServer));

function clear() {
  remove(pictures.filter((picture) => ["done", "failed", "canceled", "gone"].includes(picture.state)));
}

// ---- buttons ----

async function share(picture) {
  const link = shareAddress(picture);
  try {
    await navigator.clipboard.writeText(link);
    say(t("share.done", { when: when(new Date(picture.result.expires)) }));
  } catch {
    prompt(t("share.manual"), link); // no clipboard on this origin
  }
}

function act(name, picture) {
  const acts = {
    cancel: () => work.cancel(picture), start: () => work.start(picture), again: () => again(picture),
    resume: () => { picture.state = "new"; work.pump(); }, retry: () => work.retry(picture, settings()),
    remove: () => remove([picture]), share: () => share(picture),
    compare: () => openComparison(picture, { gone: () => { picture.state = "gone"; onChange(picture); } }),
  };
  acts[name]();
}

function startAll() {
  for (const picture of pictures) {
    picture.isWanted ||= ["ready", "new", "uploading", "checking"].includes(picture.state);
    if (picture.state === "ready") work.start(picture);
  }
}

async function saveAllDone() {
  const done = pictures.filter((picture) => picture.state === "done");
  list.saving(0, done.length);
  try {
    await saveAll(done, (count) => list.saving(count, done.length));
  } catch (error) {
    say(error.code ? faultText(error) : t("error.zip"));
  }
  list.saving(null);
}

// ---- start ----

let recheck = 0;
function onSettings() {
  clearTimeout(recheck);
  recheck = setTimeout(() => {
    for (const picture of pictures.filter((each) => ["ready", "new"].includes(each.state))) {
      picture.options = settings();
      if (picture.state === "ready") work.recheck(picture);
    }
  }, 300);
}

function onLanguage() {
  nameSettings();
  list.showAll();
}

function begin() {
  offerThemes(byId("theme"), say);
  offerLanguages(byId("language"), onLanguage);
  offerSettings(onSettings);
  key.offerChange(byId("key"));
  byId("example").textContent = `curl -F file=@photo.jpg -o photo-4x.png ${address("upscale")}`;
  listenForFiles(addFiles);
  if (facts.hasJobs)
    for (const kept of loadPictures()) {
      const picture = fromKept(kept);
      pictures.push(picture);
      list.add(picture);
      work.resume(picture);
    }
  work.pump();
  addEventListener("hashchange", openSharedComparison);
  openSharedComparison();
  document.documentElement.dataset.begun = "1";
}

begin();
