// SPDX-License-Identifier: Apache-2.0
// row.js - one picture in the list.
import { el, icon, iconButton } from "./dom.js";
import { faultText } from "./faults.js";
import { FINAL, resultName } from "./picture.js";
import { address, pathOf } from "./service.js";
import { blobOf } from "./thumb.js";
import { bytes, has, percent, sides, t, time } from "./words.js";

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
  const notes = (picture.notes || "").split(/,\s*/).filter((note) => has("note." + note)).map((note) => t("note." + note));
  if (picture.plan === "shrink") notes.unshift(t("note.shrink"));
  if (picture.choice === "hurry") notes.unshift(t("note.hurry"));
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

// 0..1 of what is being done now, or null where it is not known.
function shareOf(picture) {
  if (picture.state === "uploading" || picture.state === "interrupted") return picture.size ? picture.sent / picture.size : 0;
  if (picture.state === "running") return picture.progress ?? null;
  return ["checking", "starting"].includes(picture.state) ? null : 0;
}

// A thumbnail becomes clear with its picture.
function blurOf(picture) {
  if (picture.state === "done" || picture.state === "gone") return "";
  return `blur(${(5 * (1 - (picture.state === "running" ? picture.progress ?? 0.5 : 0))).toFixed(1)}px)`;
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

export function downloadLink(picture) {
  const href = picture.blob ? (picture.blobAddress ??= URL.createObjectURL(picture.blob))
    : address(pathOf(picture.job, "result", { name: resultName(picture) }));
  return el("a", { class: "button", href, download: resultName(picture) }, icon("down"), t("act.download"));
}

const HOPELESS = ["unsupported_image", "content_type", "missing_file", "body_too_large"];

function actionOf(name, picture, act) {
  if (name === "retry" && HOPELESS.includes(picture.error?.code)) return null;
  if (name === "share" && !picture.job) return null;
  if (name === "resume" && !picture.file) return null;
  if (name === "again" && picture.state === "gone" && !picture.file) return null;
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
    bar.hidden = picture.state === "ready" || FINAL.includes(picture.state);
    image.style.filter = blurOf(picture);
    thumb.classList.toggle("ready", picture.state === "done");
    showThumb();
    showActions([languageTag, picture.state, picture.error?.code, Boolean(picture.file), Boolean(picture.job)].join());
  }

  return { root, show };
}
