// SPDX-License-Identifier: Apache-2.0
// compare.js - before and after in one picture, with a divider that is a range input: mouse, touch and keyboard move
// it alike. The picture under it can be zoomed and moved; the lens shows one place of both, pixel for pixel.
import { el, icon, iconButton } from "./dom.js";
import { faultText } from "./faults.js";
import { listenForGestures } from "./gestures.js";
import { loadPair, shareAddress } from "./pair.js";
import { downloadLink } from "./row.js";
import { Problem, query, requestJson } from "./service.js";
import { say } from "./toast.js";
import { makeView } from "./view.js";
import { percent, sides, t } from "./words.js";

export { shareAddress };
const HANDLE_PX = 44, LENS_PX = 176, KEY_STEP_PX = 60;

// ---- what is in the dialog ----

function makeParts(picture) {
  const tools = el("div", { class: "viewer-tools", role: "group" });
  const parts = {
    canvas: el("canvas", { class: "stage-canvas", tabindex: "0", role: "img", "aria-label": t("compare.stage") }),
    split: el("input", { class: "split", type: "range", min: "0", max: "1000", value: "500", step: "1", "aria-label": t("compare.split") }),
    lens: el("div", { class: "lens", hidden: true }, el("canvas", { "aria-hidden": "true" }), el("canvas", { "aria-hidden": "true" })),
    zoom: el("span", { class: "zoom number" }),
    note: el("p", { class: "viewer-note", role: "status" }, t("compare.loading")),
    tools,
  };
  parts.close = iconButton("close", t("act.close"), () => parts.dialog.close());
  parts.stage = el("div", { class: "stage" }, parts.canvas, parts.split, parts.lens,
    el("span", { class: "tag before" }, t("compare.before")), el("span", { class: "tag after" }, t("compare.after")));
  parts.dialog = el("dialog", { class: "viewer", "aria-label": `${t("compare.title")}: ${picture.name}` },
    el("div", { class: "viewer-top" },
      el("div", { class: "viewer-title" }, el("p", { class: "name", dir: "auto" }, picture.name),
        el("p", { class: "soft number" }, t("compare.sides", { before: sides(picture.sides.width, picture.sides.height), after: sides(picture.result.width, picture.result.height) }))),
      downloadLink(picture), parts.close),
    parts.stage, el("div", { class: "viewer-bottom" }, parts.note, tools));
  return parts;
}

function makeTools(parts, view, redraw, toggleLens) {
  const does = (change) => () => {
    change();
    redraw();
  };
  const lens = el("button", { type: "button", class: "tool", "aria-pressed": "false", onclick: toggleLens }, icon("lens"), t("compare.lens"));
  parts.tools.append(
    iconButton("minus", t("compare.out"), does(() => view.zoomBy(1 / 1.5))), parts.zoom, iconButton("plus", t("compare.in"), does(() => view.zoomBy(1.5))),
    iconButton("fit", t("compare.fit"), does(() => view.fit())),
    el("button", { type: "button", class: "tool number", "aria-label": `1:1, ${t("compare.one")}`, title: t("compare.one"), onclick: does(() => view.one()) }, "1:1"), lens);
  return lens;
}

// ---- drawing ----

function sizeCanvas(canvas, width, height, density) {
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

// The divider, and the face of the range input's handle, which itself is a transparent circle.
function drawDivider(context, stage, x) {
  const y = stage.height / 2;
  context.fillStyle = "#fff";
  context.fillRect(x - 1, 0, 2, stage.height);
  context.fillStyle = "rgb(20 22 26 / .85)";
  context.beginPath();
  context.arc(x, y, HANDLE_PX / 2 - 1, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.lineCap = context.lineJoin = "round";
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(x + 5 * side, y - 6);
    context.lineTo(x + 11 * side, y);
    context.lineTo(x + 5 * side, y + 6);
    context.stroke();
  }
}

function drawStage(context, stage, pair, view, splitX, density) {
  context.clearRect(0, 0, stage.width, stage.height);
  for (const [which, from, to] of [["before", 0, splitX], ["after", splitX, stage.width]]) {
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, stage.height);
    context.clip();
    pair.draw(context, which, view, density);
    context.restore();
  }
  if (splitX > 0) drawDivider(context, stage, splitX);
}

// The frame on the stage shows which place the lens has.
function drawLens(parts, context, pair, view, focus, density) {
  const scale = 1 / density, shown = LENS_PX * view.scale / scale;
  const point = view.pointAt(focus.x, focus.y);
  for (const [canvas, which] of [[parts.lens.children[0], "before"], [parts.lens.children[1], "after"]]) {
    const own = sizeCanvas(canvas, LENS_PX, LENS_PX, density);
    pair.draw(own, which, { scale, x: LENS_PX / 2 - point.x * scale, y: LENS_PX / 2 - point.y * scale }, density);
  }
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / .6)";
  context.strokeRect(focus.x - shown / 2, focus.y - shown / 2, shown, shown);
  context.lineWidth = 1.5;
  context.strokeStyle = "#fff";
  context.strokeRect(focus.x - shown / 2, focus.y - shown / 2, shown, shown);
}

// ---- behaviour ----

function handleKey(event, view, redraw, toggleLens) {
  const step = KEY_STEP_PX;
  const keys = {
    ArrowLeft: () => view.moveBy(step, 0), ArrowRight: () => view.moveBy(-step, 0), ArrowUp: () => view.moveBy(0, step), ArrowDown: () => view.moveBy(0, -step),
    "+": () => view.zoomBy(1.25), "=": () => view.zoomBy(1.25), "-": () => view.zoomBy(1 / 1.25), 0: () => view.fit(), 1: () => view.one(), l: toggleLens,
  };
  const does = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  does();
  redraw();
}

function noteText(picture, pair) {
  if (!pair.hasBefore) return t("compare.nobefore");
  if (!pair.isPreview) return "";
  return t("compare.preview", { shown: sides(pair.width, pair.height), full: sides(picture.result.width, picture.result.height) });
}

function begin(parts, picture, pair) {
  const density = devicePixelRatio || 1, stage = { width: 1, height: 1 };
  const view = makeView(stage, pair, density);
  const focus = { x: 0, y: 0 };
  let context = null, frame = 0;
  const splitX = () => HANDLE_PX / 2 + parts.split.value / 1000 * (stage.width - HANDLE_PX);
  const draw = () => {
    frame = 0;
    drawStage(context, stage, pair, view, pair.hasBefore ? splitX() : 0, density);
    if (!parts.lens.hidden) drawLens(parts, context, pair, view, focus, density);
    parts.zoom.textContent = percent(view.scale * density);
    parts.dialog.dataset.scale = view.scale;
  };
  const redraw = () => { frame ||= requestAnimationFrame(draw); };
  const toggleLens = () => {
    parts.lens.hidden = !parts.lens.hidden;
    lens.setAttribute("aria-pressed", String(!parts.lens.hidden));
    redraw();
  };
  const lens = makeTools(parts, view, redraw, toggleLens);
  const moveSplit = (x) => { parts.split.value = (x - HANDLE_PX / 2) / (stage.width - HANDLE_PX) * 1000; };
  const look = (x, y) => Object.assign(focus, { x, y });
  parts.split.hidden = !pair.hasBefore;
  parts.split.addEventListener("input", redraw);
  parts.canvas.addEventListener("keydown", (event) => handleKey(event, view, redraw, toggleLens));
  listenForGestures(parts.canvas, {
    move: (dx, dy) => { view.moveBy(dx, dy); redraw(); },
    zoom: (factor, x, y) => { view.zoomBy(factor, x, y); redraw(); },
    look: (x, y) => { look(x, y); if (!parts.lens.hidden) redraw(); },
    tap: (x, y) => { if (view.isWhole()) moveSplit(x); else view.centre(x, y); redraw(); },
    twice: (x, y) => { if (view.isWhole()) view.one(x, y); else view.fit(); redraw(); },
  });
  const observer = new ResizeObserver(() => {
    const { width, height } = parts.stage.getBoundingClientRect();
    const isFirst = !context;
    context = sizeCanvas(parts.canvas, width, height, density);
    view.resize(width, height);
    if (isFirst) {
      view.fit();
      look(width / 2, height / 2);
    }
    draw();
  });
  observer.observe(parts.stage);
  parts.note.textContent = noteText(picture, pair);
  parts.dialog.dataset.state = "shown";
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    pair.close();
  };
}

// picture: finished. gone(): called if the service has it no longer.
export async function openComparison(picture, { gone }) {
  const parts = makeParts(picture), opener = document.activeElement;
  let end = null, isOpen = true;
  parts.dialog.addEventListener("close", () => {
    isOpen = false;
    end?.();
    parts.dialog.remove();
    opener?.focus?.();
    if (location.hash.startsWith("#compare=")) history.replaceState(null, "", location.pathname + location.search);
  });
  document.body.append(parts.dialog);
  parts.dialog.showModal();
  try {
    const pair = await loadPair(picture);
    if (isOpen) end = begin(parts, picture, pair);
    else pair.close();
  } catch (error) {
    parts.note.textContent = error instanceof Problem ? faultText(error) : t("compare.failed");
    parts.dialog.dataset.state = "failed";
    if (error instanceof Problem && [404, 410].includes(error.status)) gone();
  }
}

// ---- a link to a comparison: #compare=JOB.TOKEN ----

export async function openSharedComparison() {
  const [, id, token] = /^#compare=([\w-]{1,64})\.([0-9a-f]{32})$/.exec(location.hash) || [];
  if (!id) return;
  try {
    const job = await requestJson(`v1/jobs/${id}${query({ token })}`, { isSilent: true });
    if (!job.result) return say(t(["queued", "running"].includes(job.status) ? "share.early" : "share.gone"));
    await openComparison({
      name: t("compare.title"), state: "done", options: {}, job: { id, token }, result: job.result, sides: { width: job.width, height: job.height },
    }, { gone: () => say(t("share.gone")) });
  } catch (error) {
    say(error.code === "offline" ? faultText(error) : t("share.gone"));
  }
}
