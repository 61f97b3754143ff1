// SPDX-License-Identifier: Apache-2.0
// toast.js - one short message at the edge of the page, with at most one action. Screen readers read it.
import { byId, el } from "./dom.js";

const SHOWN_MS = 8000;
let timer = 0;

// action: { label, run } or nothing. Returns nothing; the message leaves by itself.
export function say(text, action) {
  const place = byId("toast");
  const hide = () => {
    place.classList.remove("shown");
    place.replaceChildren();
  };
  clearTimeout(timer);
  place.replaceChildren(el("span", {}, text));
  if (action) place.append(el("button", { type: "button", class: "button quiet", onclick: () => { hide(); action.run(); } }, action.label));
  place.classList.add("shown");
  timer = setTimeout(hide, SHOWN_MS);
}
