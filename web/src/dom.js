// SPDX-License-Identifier: Apache-2.0
// dom.js - elements: by id, made new, and icons.
export const byId = (id) => document.getElementById(id);

// el("button", { class: "x", type: "button", onclick: f }, "text", child)
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// One of the symbols of the page.
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", "#i-" + name);
  svg.append(use);
  return svg;
}

// A button with an icon alone needs a name.
export function iconButton(name, label, onclick, attributes = {}) {
  return el("button", { type: "button", class: "icon tool", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}
