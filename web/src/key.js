// SPDX-License-Identifier: Apache-2.0
// key.js - the API key: asked for once, when the service first wants it, and kept for the session of this tab.
import { byId, el } from "./dom.js";
import { t } from "./words.js";

const NAME = "swin2sr.key";
let asking = null; // the promise of an open question

export function current() {
  try {
    return sessionStorage.getItem(NAME) || "";
  } catch {
    return "";
  }
}

export const header = () => (current() ? { Authorization: `Bearer ${current()}` } : {});

function show(reason, resolve) {
  const input = el("input", { id: "key-input", type: "password", autocomplete: "off", required: true, spellcheck: "false", "aria-describedby": "key-fault" });
  const fault = el("p", { id: "key-fault", class: "fault", role: "alert" });
  if (reason === "key_unknown") fault.textContent = t("key.wrong");
  if (reason === "key_revoked") fault.textContent = t("key.revoked");
  const dialog = el("dialog", { class: "card", "aria-labelledby": "key-title" },
    el("form", { method: "dialog" },
      el("h2", { id: "key-title" }, t("key.title")), el("p", { class: "soft" }, t("key.lead")),
      el("label", { for: "key-input" }, t("key.label")), input, fault,
      el("p", { class: "dialog-actions" }, el("button", { class: "button primary", type: "submit" }, t("key.save")))));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    try {
      sessionStorage.setItem(NAME, input.value.trim());
    } catch {
      // The key is asked for again at the next request.
    }
    dialog.remove();
    if (byId("key")) byId("key").hidden = false;
    resolve();
  });
  document.body.append(dialog);
  dialog.showModal();
}

// Resolves when there is a key to try. sent: the key that was refused; another one may have been entered since.
export function ask(reason, sent) {
  if (current() && sent !== undefined && current() !== sent) return Promise.resolve();
  asking ??= new Promise((resolve) => show(reason, resolve)).finally(() => { asking = null; });
  return asking;
}

export function offerChange(button) {
  button.hidden = !current();
  button.addEventListener("click", () => ask("key_missing", current()));
}
