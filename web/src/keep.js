// SPDX-License-Identifier: Apache-2.0
// keep.js - what the browser remembers for this page (localStorage). Where it is full or forbidden, the page works
// without it.
const PREFIX = "swin2sr.";

export function load(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

// false: not kept.
export function save(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
