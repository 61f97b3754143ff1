// SPDX-License-Identifier: Apache-2.0
// early.js - runs before the first paint: the colours and the language that were chosen here before.
try {
  const root = document.documentElement;
  const theme = JSON.parse(localStorage.getItem("swin2sr.theme"));
  const language = JSON.parse(localStorage.getItem("swin2sr.language"));
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if ((language === "en" || language === "zh") && !root.lang.startsWith(language) && !/[?&]lang=/.test(location.search))
    location.replace(`?lang=${language}${location.hash}`);
} catch {
  // Nothing is remembered.
}
