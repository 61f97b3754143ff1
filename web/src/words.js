// SPDX-License-Identifier: Apache-2.0
// words.js - the texts of the page in the chosen language, and numbers, sizes and times as people write them.
import en from "../words/en.json";
import zh from "../words/zh.json";
import { save } from "./keep.js";

const LANGUAGES = { en, zh };
let language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export const currentLanguage = () => language;
export const tag = () => LANGUAGES[language]["language.tag"];

// The text for a key, with {name} replaced. Missing keys fall back to the key, so that they are seen.
export function t(key, values = {}) {
  const text = LANGUAGES[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => key in LANGUAGES[language];

// key.one or key.other
export const plural = (key, n) => t(`${key}.${n === 1 ? "one" : "other"}`, { n: number(n) });

// ---- numbers ----

export const number = (n) => new Intl.NumberFormat(tag()).format(n);
export const percent = (share) => new Intl.NumberFormat(tag(), { style: "percent" }).format(Math.floor(share * 100) / 100);
export const sides = (width, height) => `${number(width)} × ${number(height)}`;

export function bytes(n) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return new Intl.NumberFormat(tag(), { style: "unit", unit: units[i], unitDisplay: i ? "short" : "long", maximumFractionDigits: i > 1 && n < 10 ? 1 : 0 }).format(n);
}

export function time(seconds) {
  if (seconds < 99.5) return t("time.seconds", { n: number(Math.max(1, Math.round(seconds))) });
  if (seconds < 5400) return t("time.minutes", { n: number(Math.round(seconds / 60)) });
  return t("time.hours", { n: number(Math.round(seconds / 360) / 10) });
}

export const when = (date) => new Intl.DateTimeFormat(tag(), { dateStyle: "medium", timeStyle: "short" }).format(date);

// ---- the page ----

function writeAll() {
  document.documentElement.lang = tag();
  document.title = t(document.documentElement.dataset.title || "page.title");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
    element.title = t(element.dataset.label);
  }
}

// The link of the page to its other language works without script. With it, nothing is loaded anew.
export function offerLanguages(link, onChange) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const before = language;
    language = language === "en" ? "zh" : "en";
    save("language", language);
    const address = new URL(location.href);
    address.searchParams.delete("lang");
    history.replaceState(null, "", address);
    link.textContent = LANGUAGES[before]["language.name"];
    link.lang = link.hreflang = LANGUAGES[before]["language.tag"];
    link.href = "?lang=" + before;
    writeAll();
    onChange();
  });
}
