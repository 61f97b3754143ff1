// SPDX-License-Identifier: Apache-2.0
// row.js - one picture in the list.
import { el, icon, iconButton } from "./dom.js";
import { faultText } from "./faults.js";
import { FINAL, resultName } from "./picture.js";
import { address, query } from "./service.js";
import { blobOf } from "./thumb.js";
import { bytes, percent, sides, t, time } from "./words.js";

const NOTES = ["reduced-16-bit", "alpha-dropped", "damaged"];

// ---- what is said about a picture ----

function remaining(picture) {
  if (picture.eta == null || picture.isLost) return "";
  return t("state.left", { time: time(picture.eta) });
}

function runningWords(picture) {
  if (picture.progress === undefined) return [t("state.running"), remaining(picture)];
  if (picture.progress >= 1) return [t("state.saving")];
  return [t("state.running"), percent(picture.progress || 0), remaining(picture)];
}

function interruptedWords(picture) {
  const stopped = { percent: percent(picture.size ? picture.sent / picture.size : 0) };
  return [t(picture.file ? "state.interrupted" : "state.interrupted.file", stopped)];
}

function readyWords(picture) {
  return picture.estimate ? [t("state.ready", { time: time(picture.estimate.seconds + picture.estimate.wait) })] : [t("state.ready.plain")];
}

function doneWords(picture) {
  const notes = (picture.notes || "").split(/,\s*/).filter((note) => NOTES.includes(note)).map((note) => t("note." + note));
  if (picture.plan === "shrink") notes.unshift(t("note.shrink"));
  if (picture.estimate?.frames > 1) notes.push(t("note.first-frame"));
  return [t("state.done"), picture.result ? bytes(picture.result.bytes) : "", ...notes];
}

const WORDS = {
  new: () => [t("state.new")],
  uploading: (picture) => [t("state.uploading"), percent(picture.size ? picture.sent / picture.size : 0)],
  interrupted: interruptedWords,
  checking: () => [t("state.checking")],
  ready: readyWords,
  starting: () => [t("state.starting")],
  queued: (picture) => [picture.ahead > 0 ? t("state.queued", { n: picture.ahead }) : t("state.queued.next"), remaining(picture)],
  running: runningWords,
  done: doneWords,
  failed: (picture) => [faultText(picture.error || { code: "other" })],
  canceled: () => [t("state.canceled")],
  gone: () => [t("state.gone")],
};

export function stateText(picture) {
  if (picture.isLost && !FINAL.includes(picture.state)) return t("state.lost");
  if (picture.busyUntil) return t("state.busy", { time: time((picture.busyUntil - Date.now()) / 1000) });
  return WORDS[picture.state](picture).filter(Boolean).join(" · ");
}

// 0..1 of all that is to be done, or null where it is not known: sending is the first tenth.
function shareOf(picture) {
  const sent = picture.size ? picture.sent / picture.size : 0;
  if (picture.state === "uploading" || picture.state === "interrupted") return 0.1 * sent;
  if (picture.state === "running") return picture.progress === undefined ? null : 0.1 + 0.9 * picture.progress;
  return { new: 0, checking: 0.1, ready: 0.1, starting: 0.1, queued: 0.1, done: 1 }[picture.state] ?? 0;
}

function metaText(picture) {
  const out = picture.result?.width ? picture.result : picture.estimate;
  const from = picture.sides ? sides(picture.sides.width, picture.sides.height) : bytes(picture.size);
  return out?.width ? `${from} → ${sides(out.width, out.height)}` : from;
}

// ---- the row ----

const ACTIONS = {
  new: ["cancel"], uploading: ["cancel"], checking: ["cancel"], starting: ["cancel"], queued: ["cancel"], running: ["cancel"],
  interrupted: ["resume", "remove"], ready: ["start", "remove"], done: ["compare", "download", "share", "again", "remove"],
  failed: ["retry", "remove"], canceled: ["retry", "remove"], gone: ["again", "remove"],
};
const ICONS = { cancel: "close", remove: "close", retry: "again", again: "again", share: "link" };

function downloadLink(picture) {
  const href = picture.blob ? (picture.blobAddress ??= URL.createObjectURL(picture.blob))
    : address(`v1/jobs/${picture.job.id}/result${query({ token: picture.job.token, name: resultName(picture) })}`);
  return el("a", { class: "button", href, download: resultName(picture) }, icon("down"), t("act.download"));
}

function actionOf(name, picture, act) {
  if (name === "share" && !picture.job) return null;
  if ((name === "again" || name === "resume") && name === "resume" && !picture.file) return null;
  if (name === "again" && picture.state === "gone" && !picture.file && !picture.uploadId) return null;
  if (name === "download") return downloadLink(picture);
  const label = t("act." + name), attributes = { "data-act": name };
  if (ICONS[name]) return iconButton(ICONS[name], `${label}: ${picture.name}`, () => act(name, picture), { ...attributes, title: label });
  const kind = name === "start" || name === "resume" ? "button primary" : "button";
  return el("button", { type: "button", class: kind, onclick: () => act(name, picture), ...attributes },
    ...(name === "compare" ? [icon("compare")] : []), label);
}

// act(name, picture): a button was pressed.
export function makeRow(picture, act) {
  const image = el("img", { alt: "", width: 72, height: 72, hidden: true });
  const thumb = el("button", { type: "button", class: "thumb", tabindex: "-1", "aria-hidden": "true", onclick: () => picture.state === "done" && act("compare", picture) }, image, icon("drop"));
  const name = el("p", { class: "name", dir: "auto" }, picture.name);
  const meta = el("p", { class: "meta soft number" });
  const state = el("p", { class: "state number" });
  const bar = el("progress", { max: 1, "aria-label": picture.name });
  const actions = el("div", { class: "actions" });
  const root = el("li", { class: "row", "data-id": picture.id }, thumb, el("div", { class: "what" }, name, meta, state, bar), actions);
  let shown = "";

  function showThumb() {
    if (!picture.thumb || !image.hidden) return;
    image.src = URL.createObjectURL(blobOf(picture.thumb));
    image.hidden = false;
    image.nextSibling.remove();
  }

  // Buttons are made anew only when they change, so that the focus stays where it is.
  function showActions(key) {
    if (key === shown) return;
    shown = key;
    const focused = actions.contains(document.activeElement);
    actions.replaceChildren(...ACTIONS[picture.state].map((each) => actionOf(each, picture, act)).filter(Boolean));
    if (focused) (actions.firstElementChild || root).focus();
  }

  function show(languageTag) {
    const share = shareOf(picture);
    root.dataset.state = picture.state;
    root.classList.toggle("warned", Boolean(picture.isLost || picture.busyUntil));
    meta.textContent = metaText(picture);
    state.textContent = stateText(picture);
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    bar.hidden = FINAL.includes(picture.state);
    image.style.filter = picture.state === "done" || picture.state === "gone" ? "" : `blur(${(5 * (1 - (share ?? 0.5))).toFixed(1)}px)`;
    thumb.classList.toggle("ready", picture.state === "done");
    showThumb();
    showActions([languageTag, picture.state, Boolean(picture.file), Boolean(picture.job)].join());
  }

  return { root, show };
}
