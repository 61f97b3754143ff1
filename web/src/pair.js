// SPDX-License-Identifier: Apache-2.0
// pair.js - the two pictures of a comparison as bitmaps of bounded size, and drawing them. At most one pair exists.
import { address, pathOf, Problem, request } from "./service.js";

const LARGEST_PX = 24e6; // pixels of a result that is compared itself; of a larger one, its preview
const LONGEST_PX = 8192, BEFORE_PX = 4096, SMALL_PX = 2048;

async function blobFrom(path) {
  return (await request(path)).blob();
}

const isLarge = (result) => result.width * result.height > LARGEST_PX || Math.max(result.width, result.height) > LONGEST_PX;

// A bitmap whose longer side is at most longest.
async function bitmapOf(blob, longest, sides) {
  const scale = sides ? Math.min(1, longest / Math.max(sides.width, sides.height)) : 1;
  if (scale === 1) return createImageBitmap(blob);
  const isWide = sides.width >= sides.height;
  return createImageBitmap(blob, { [isWide ? "resizeWidth" : "resizeHeight"]: longest, resizeQuality: "high" });
}

// For a view of the whole, drawing from a smaller copy is as sharp and much faster.
async function withSmall(bitmap) {
  const longest = Math.max(bitmap.width, bitmap.height);
  const side = bitmap.width >= bitmap.height ? "resizeWidth" : "resizeHeight";
  return { full: bitmap, small: longest > SMALL_PX ? await createImageBitmap(bitmap, { [side]: SMALL_PX, resizeQuality: "high" }) : null };
}

// Loads both. Throws a Problem, or another error where the browser cannot show the result.
export async function loadPair(picture) {
  const { job, result, sides } = picture;
  const isShown = result.content_type !== "image/tiff";
  const isPreview = Boolean(result.preview) && (isLarge(result) || !isShown);
  if (!isShown && !isPreview) throw new Problem("cannot_show");
  const afterBlob = picture.blob || await blobFrom(pathOf(job, isPreview ? "preview" : "result"));
  const after = await bitmapOf(afterBlob, LONGEST_PX, isPreview ? null : result);
  let before = null;
  try {
    before = await bitmapOf(picture.file || await blobFrom(pathOf(job, "input")), BEFORE_PX, sides);
  } catch (error) {
    if (error instanceof Problem && error.code === "offline") throw error;
  }
  const levels = { after: await withSmall(after), before: before && await withSmall(before) };
  return {
    width: after.width, height: after.height, isPreview, hasBefore: Boolean(before),
    // Draw one of the two with its top left corner at (x, y).
    draw(context, which, { scale, x, y }, density) {
      const level = levels[which];
      if (!level) return;
      const needed = after.width * scale * density;
      const bitmap = level.small && needed <= level.small.width ? level.small : level.full;
      context.imageSmoothingEnabled = which === "before" || scale * density < 3;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, x, y, after.width * scale, after.height * scale);
    },
    close() {
      for (const level of Object.values(levels))
        for (const bitmap of [level?.full, level?.small]) bitmap?.close();
    },
  };
}

export const shareAddress = (picture) => `${address("")}#compare=${picture.job.id}.${picture.job.token}`;
