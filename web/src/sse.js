// SPDX-License-Identifier: Apache-2.0
// sse.js - the text of server-sent events.

// Calls take(event, data) for each complete event of a text, and returns the rest.
export function takeEvents(text, take) {
  const blocks = text.split("\n\n");
  const rest = blocks.pop();
  for (const block of blocks) {
    let event = "message", data = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      if (line.startsWith("data:")) data += line.slice(5).trim();
    }
    if (data) take(event, JSON.parse(data));
  }
  return rest;
}
