// SPDX-License-Identifier: Apache-2.0
// theme.js - the button for light and dark: as the system, the other one, and back.
import { load, save } from "./keep.js";
import { t } from "./words.js";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function apply(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// say: shows a short message.
export function offerThemes(button, say) {
  button.addEventListener("click", () => {
    const theme = load("theme") ? null : systemIsDark.matches ? "light" : "dark";
    save("theme", theme);
    apply(theme);
    say(t("theme." + (theme || "auto")));
  });
}
