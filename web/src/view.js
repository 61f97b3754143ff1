// SPDX-License-Identifier: Apache-2.0
// view.js - which part of a picture is seen: a scale and a position. Pure arithmetic, in pixels of the stage.

const MOST = 16; // pixels of the screen for one of the picture

const clamp = (low, value, high) => Math.min(Math.max(value, low), high);

// stage, picture: { width, height }. density: pixels of the screen in one of the stage.
export function makeView(stage, picture, density = 1) {
  const view = { scale: 1, x: 0, y: 0 };
  const fitScale = () => Math.min(stage.width / picture.width, stage.height / picture.height);
  const least = () => Math.min(fitScale(), 1 / density);
  const most = () => Math.max(MOST / density, fitScale());

  // Where the picture is smaller than the stage it is centred; elsewhere it covers the stage.
  function settle() {
    for (const [side, at] of [["width", "x"], ["height", "y"]]) {
      const size = picture[side] * view.scale, room = stage[side] - size;
      view[at] = room >= 0 ? room / 2 : clamp(room, view[at], 0);
    }
  }

  return Object.assign(view, {
    fit() {
      view.scale = fitScale();
      settle();
    },
    isWhole() { return view.scale <= fitScale() * 1.001; },
    // Zoom so that the point of the picture at (x, y) of the stage stays there.
    zoomTo(scale, x = stage.width / 2, y = stage.height / 2) {
      const to = clamp(least(), scale, most());
      view.x = x - (x - view.x) * to / view.scale;
      view.y = y - (y - view.y) * to / view.scale;
      view.scale = to;
      settle();
    },
    zoomBy(factor, x, y) { view.zoomTo(view.scale * factor, x, y); },
    one(x, y) { view.zoomTo(1 / density, x, y); },
    moveBy(dx, dy) {
      view.x += dx;
      view.y += dy;
      settle();
    },
    centre(x, y) { view.moveBy(stage.width / 2 - x, stage.height / 2 - y); },
    // The point of the picture at a point of the stage.
    pointAt: (x, y) => ({ x: (x - view.x) / view.scale, y: (y - view.y) / view.scale }),
    resize(width, height) {
      const isWhole = view.isWhole();
      Object.assign(stage, { width, height });
      if (isWhole) view.fit();
      else settle();
    },
  });
}
