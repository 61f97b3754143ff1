// SPDX-License-Identifier: Apache-2.0
// gestures.js - one finger or the mouse moves, two fingers or the wheel zoom, a tap and a double tap do something else.
// Points are in pixels of the element.

const TAP_PX = 6, TWICE_MS = 350;

// on: { move(dx, dy), zoom(factor, x, y), look(x, y), tap(x, y), twice(x, y) }
export function listenForGestures(element, on) {
  const fingers = new Map();
  let travelled = 0, lastTap = 0, pinch = null;

  const pointOf = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const pinchOf = () => {
    const [a, b] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, pointOf(event));
    if (fingers.size === 1) travelled = 0;
    pinch = fingers.size === 2 ? pinchOf() : null;
  });

  element.addEventListener("pointermove", (event) => {
    const point = pointOf(event), before = fingers.get(event.pointerId);
    on.look(point.x, point.y);
    if (!before) return;
    fingers.set(event.pointerId, point);
    if (fingers.size === 1) {
      travelled += Math.hypot(point.x - before.x, point.y - before.y);
      on.move(point.x - before.x, point.y - before.y);
    } else if (fingers.size === 2) {
      const now = pinchOf();
      travelled = Infinity;
      on.move(now.x - pinch.x, now.y - pinch.y);
      on.zoom(now.distance / pinch.distance, now.x, now.y);
      pinch = now;
    }
  });

  const lift = (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size > 0 || event.type === "pointercancel" || travelled > TAP_PX) return;
    const point = pointOf(event), isTwice = event.timeStamp - lastTap < TWICE_MS;
    lastTap = isTwice ? 0 : event.timeStamp;
    (isTwice ? on.twice : on.tap)(point.x, point.y);
  };
  element.addEventListener("pointerup", lift);
  element.addEventListener("pointercancel", lift);

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const point = pointOf(event), pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    on.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), point.x, point.y);
  }, { passive: false });
}
