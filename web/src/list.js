// SPDX-License-Identifier: Apache-2.0
// list.js - the list of pictures and what can be done with all of them.
import { byId } from "./dom.js";
import { FINAL } from "./picture.js";
import { makeRow } from "./row.js";
import { currentLanguage, number, plural, t, time } from "./words.js";

const ACCENT = ["uploading", "checking", "starting", "queued", "running", "new"];

export function makeList(pictures, { act, startAll, saveAll, clear }) {
  const rows = new Map();
  let saving = null;

  byId("start-all").addEventListener("click", startAll);
  byId("save-all").addEventListener("click", saveAll);
  byId("clear").addEventListener("click", clear);

  function showStart() {
    const ready = pictures.filter((picture) => picture.state === "ready");
    const seconds = ready.reduce((sum, picture) => sum + (picture.estimate?.seconds || 0), 0);
    const button = byId("start-all");
    button.hidden = ready.length < 2;
    button.textContent = [plural("list.start", pictures.filter((picture) => ["ready", "new"].includes(picture.state)).length), seconds ? t("list.start.time", { time: time(seconds) }) : ""].filter(Boolean).join(" · ");
  }

  function showBar() {
    const done = pictures.filter((picture) => picture.state === "done").length;
    const busy = pictures.filter((picture) => ACCENT.includes(picture.state)).length;
    const summary = pictures.length ? t("list.summary", { done: number(done), all: number(pictures.length) }) : "";
    byId("pictures").hidden = !pictures.length;
    byId("drop").classList.toggle("small", pictures.length > 0);
    if (byId("summary").textContent !== summary) byId("summary").textContent = summary;
    byId("save-all").hidden = done < 2 && !saving;
    byId("save-all").disabled = Boolean(saving);
    byId("save-all").lastElementChild.textContent = saving || t("list.save");
    byId("clear").hidden = !pictures.some((picture) => FINAL.includes(picture.state));
    document.title = busy ? `(${done}/${pictures.length}) ${t("page.title")}` : t("page.title");
    showStart();
  }

  function show(picture) {
    rows.get(picture)?.show(currentLanguage());
    showBar();
  }

  return {
    show,
    add(picture) {
      const row = makeRow(picture, act);
      rows.set(picture, row);
      byId("list").append(row.root);
      show(picture);
    },
    remove(picture) {
      const { root } = rows.get(picture);
      const next = root.nextElementSibling || root.previousElementSibling;
      const hadFocus = root.contains(document.activeElement);
      root.remove();
      rows.delete(picture);
      if (hadFocus) (next?.querySelector(".actions :is(button, a)") || byId("pick")).focus();
      showBar();
    },
    reveal(picture) {
      rows.get(picture).root.scrollIntoView({ block: "nearest" });
    },
    showAll() {
      for (const row of rows.values()) row.show(currentLanguage());
      showBar();
    },
    // count: packed so far; null: finished.
    saving(count, all) {
      saving = count === null ? null : t("list.saving", { n: number(count), all: number(all) });
      showBar();
    },
  };
}
