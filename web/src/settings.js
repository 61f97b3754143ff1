// SPDX-License-Identifier: Apache-2.0
// settings.js - the form's options, each with one plain sentence; remembered for the next visit.
import { byId } from "./dom.js";
import { load, save } from "./keep.js";
import { number, percent, t } from "./words.js";

// Those that the service has are on the page.
const NAMES = ["model", "format", "quality", "scale", "side", "strength", "batch_mode", "metadata", "compression"];
const fields = () => NAMES.map(byId).filter(Boolean);

function describe() {
  const model = byId("model"), format = byId("format"), quality = byId("quality");
  const task = model?.selectedOptions[0]?.dataset.task;
  if (model) byId("model-hint").textContent = t("network.hint." + (task || "other"));
  byId("format-hint").dataset.word = "format.hint." + format.value;
  byId("format-hint").textContent = t("format.hint." + format.value);
  const isNeeded = Boolean(format.selectedOptions[0]?.dataset.quality);
  byId("quality-field").classList.toggle("needed", isNeeded);
  quality.disabled = !isNeeded;
  byId("quality-value").textContent = number(quality.value);
  if (byId("side")) byId("side-field").hidden = byId("scale").value !== "fit";
  if (byId("strength")) byId("strength-value").textContent = percent(Number(byId("strength").value) + 1e-6);
  if (byId("compression")) byId("compression").disabled = format.value !== "png";
}

// After the language has changed.
export function nameSettings() {
  const models = [...(byId("model")?.options || [])];
  for (const option of models) {
    const task = option.dataset.task, isOnly = models.filter((each) => each.dataset.task === task).length === 1;
    option.textContent = !task ? option.value : isOnly ? t("task." + task) : `${t("task." + task)} (${option.value})`;
  }
  for (const option of byId("format").options) option.textContent = t("format.name." + option.value);
  describe();
}

// The options of a request. A field without a name is no option of its own.
export function settings() {
  const options = {};
  for (const field of fields()) if (field.name && !field.disabled && field.value !== "") options[field.name] = field.value;
  if (options.scale === "fit") {
    delete options.scale;
    options.fit = `${byId("side").value}x${byId("side").value}`;
  }
  return options;
}

export const startsByItself = () => byId("auto").checked;

export function offerSettings(onChange) {
  const known = load("settings") || {};
  for (const field of fields()) {
    const value = known[field.id];
    const isOffered = field.options ? [...field.options].some((option) => option.value === value) : /^\d[\d.]{0,4}$/.test(value);
    field.disabled = false;
    if (value && isOffered) field.value = value;
    field.addEventListener(field.type === "range" ? "input" : "change", describe);
    field.addEventListener("change", () => {
      if (field.type === "number") field.value = Math.min(field.max, Math.max(field.min, Math.round(field.value) || field.defaultValue));
      keepSettings();
      onChange();
    });
  }
  if (known.auto === false) byId("auto").checked = false;
  byId("auto").addEventListener("change", keepSettings);
  describe();
}

function keepSettings() {
  save("settings", { ...Object.fromEntries(fields().map((field) => [field.id, field.value])), auto: byId("auto").checked });
}
