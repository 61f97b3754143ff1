// SPDX-License-Identifier: Apache-2.0
// status.js - /status: what GET /v1/status says, again every few seconds while the page is seen.
import { byId, el } from "./dom.js";
import { faultText } from "./faults.js";
import * as key from "./key.js";
import { requestJson } from "./service.js";
import { offerThemes } from "./theme.js";
import { say } from "./toast.js";
import { bytes, has, number, offerLanguages, t, time } from "./words.js";

const EVERY_MS = 3000;
let last = null;

function table(columns, rows) {
  if (!rows.length) return el("p", { class: "soft" }, t("status.none"));
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": columns[0] }, el("table", {},
    el("thead", {}, el("tr", {}, ...columns.map((each) => el("th", { scope: "col" }, each)))),
    el("tbody", {}, ...rows.map(([first, ...others]) => el("tr", {}, el("th", { scope: "row" }, first), ...others.map((each) => el("td", {}, String(each))))))));
}

function showFacts(now) {
  const jobs = now.jobs;
  const rows = [
    [t("status.queue"), number(now.pools.reduce((sum, pool) => sum + pool.queued, 0) + (jobs ? jobs.queued : 0))],
    [t("status.running"), number(now.pools.reduce((sum, pool) => sum + pool.running, 0))],
    [t("status.wait"), time(Math.max(...now.pools.map((pool) => pool.wait_seconds)))],
    [t("status.connections"), number(now.connections)],
    ...(jobs ? [[t("status.jobs"), t("status.jobs.counts", { done: number(jobs.succeeded), failed: number(jobs.failed) })],
      [t("status.kept"), `${bytes(jobs.bytes)} / ${bytes(jobs.bytes_limit)}`]] : []),
    [t("status.spool"), `${bytes(now.spool.bytes)} / ${bytes(now.spool.bytes_limit)}`],
    [t("status.version"), `${now.version} · ${now.node}`],
    [t("status.uptime"), time(now.uptime_seconds)],
  ];
  byId("facts").replaceChildren(...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number" }, value))));
}

const restarts = (pool) => pool.restarts.map((each) => `${each.reason} ${number(each.count)}`).join(", ") || "0";

function levelOf(pool) {
  const reason = pool.reason && has("status.reason." + pool.reason) ? t("status.reason." + pool.reason) : pool.reason;
  return [t("status.level." + pool.level), reason].filter(Boolean).join(" · ");
}

function show(now) {
  last = now;
  byId("state").textContent = t("status.state." + now.state);
  byId("state").dataset.state = now.state;
  byId("board").hidden = false;
  showFacts(now);
  byId("workers").replaceChildren(table(
    [t("status.pool"), t("status.level"), t("status.idle"), t("status.busy"), t("status.starting"), t("status.down"), t("status.restarts"), t("status.lock"), t("status.fault")],
    now.pools.map((pool) => [pool.networks.map((each) => each.name).join(", "), levelOf(pool), pool.workers.idle, pool.workers.busy, pool.workers.starting, pool.workers.down,
      restarts(pool), [pool.precision, pool.kernels, pool.sandbox].filter(Boolean).join(" · "), pool.fault || "–"])));
  byId("networks").replaceChildren(table([t("network.label"), t("status.queue"), t("status.pace")],
    now.pools.flatMap((pool) => pool.networks).map((each) => [each.name, number(each.queued), each.seconds_per_megapixel ? t("time.seconds", { n: number(Math.round(each.seconds_per_megapixel)) }) : "–"])));
  byId("errors").replaceChildren(table([t("status.kind"), "HTTP", t("status.answers"), t("status.failed")],
    now.errors.map((each) => [each.code, each.status, number(each.answers), number(each.jobs)])));
}

function showFault(error) {
  byId("board").hidden = true;
  byId("state").dataset.state = "down";
  byId("state").textContent = error.code === "not_admin" ? t("status.forbidden") : faultText(error);
}

async function refresh() {
  if (!document.hidden) {
    try {
      show(await requestJson("v1/status"));
    } catch (error) {
      showFault(error);
    }
  }
  setTimeout(refresh, EVERY_MS);
}

offerThemes(byId("theme"), say);
offerLanguages(byId("language"), () => last && show(last));
key.offerChange(byId("key"));
refresh();
document.documentElement.dataset.begun = "1";
