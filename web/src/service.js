// SPDX-License-Identifier: Apache-2.0
// service.js - requests to the service. Addresses are relative, because a proxy may offer it under any path.
import * as key from "./key.js";

const data = document.documentElement.dataset;
export const facts = { hasJobs: data.jobs === "1", maxBytes: Number(data.maxBytes) };

export const address = (path) => new URL(path, document.baseURI.replace(/[?#].*/, "")).href;

// What went wrong: `code` is the machine word of docs/api.md, or "offline".
export class Problem extends Error {
  constructor(code, facts = {}) {
    super(code);
    this.code = code;
    Object.assign(this, { status: facts.status, detail: facts.detail, limit: facts.limit, actual: facts.actual, retryAfter: facts.retry_after });
  }

  // It goes away by itself.
  get isPassing() {
    return ["offline", "queue_full", "rate_limited", "too_many_at_once", "starting", "draining", "busy", "memory", "locked"].includes(this.code);
  }
}

// The problem in the body of an answer, which may come from a proxy instead of the service.
export function problemFrom(text, status) {
  try {
    const document = JSON.parse(text);
    return new Problem(String(document.code || "other"), document);
  } catch {
    return new Problem(status >= 500 ? "offline" : "other", { status });
  }
}

// The answer to a request; throws a Problem. Asks for a key where one is needed.
export async function request(path, options = {}) {
  for (;;) {
    let response;
    const sent = key.current();
    try {
      response = await fetch(address(path), { cache: "no-store", ...options, headers: { ...key.header(), ...options.headers } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("offline");
    }
    if (response.ok) return response;
    const problem = problemFrom(await response.text().catch(() => ""), response.status);
    if (!problem.code.startsWith("key_") || options.isSilent) throw problem;
    await key.ask(problem.code, sent);
  }
}

export const requestJson = async (path, options) => (await request(path, options)).json();

export function query(options) {
  const text = new URLSearchParams(Object.entries(options).filter(([, value]) => value != null && value !== "")).toString();
  return text ? "?" + text : "";
}

// What a job has at the service: "input", "result", "preview", "events". more: further parameters.
export const pathOf = (job, what, more) => `v1/jobs/${job.id}/${what}${query({ token: job.token, ...more })}`;

export const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  }, { once: true });
});

// Random hex digits; crypto.randomUUID exists only on secure origins.
export const randomId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
