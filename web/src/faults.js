// SPDX-License-Identifier: Apache-2.0
// faults.js - what went wrong, in words that say what to do.
import { byId } from "./dom.js";
import { bytes, has, number, t } from "./words.js";

const formats = () => [...new Set((byId("file")?.accept || "").split(",").map((type) => t("format.name." + type.replace(/^image\//, ""))))].join(", ");

export function faultText(error) {
  const isBytes = error.code === "body_too_large";
  const values = {
    code: error.code, formats: formats(), limit: isBytes ? bytes(error.limit) : number(error.limit || 0),
    actual: isBytes ? bytes(error.actual) : number(error.actual || 0),
  };
  return has("error." + error.code) ? t("error." + error.code, values) : t("error.other", values);
}
