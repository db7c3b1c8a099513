// Rules VN20..VN22 of docs/spec/vision.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromYaw } from "../geometry/quat.ts";
import type { CameraImage } from "./key-images.ts";
import { KEY_IMAGE_LIMITS, KeyImages } from "./key-images.ts";

function image(
  imageId: number,
  atMs: number,
  more: { turn?: number; bytes?: number; x?: number; yaw?: number } = {},
): CameraImage {
  const { turn = 0, bytes = 20_000, x = 0, yaw = 0 } = more;
  const pose = { position: [x, 1.6, 0], orientation: fromYaw(yaw) } as const;
  return {
    view: { imageId, atMs, pose, fx: 800, fy: 800, cx: 320, cy: 240, widthPx: 640, heightPx: 480, isEstimated: false },
    bytes: new Uint8Array(bytes),
    mime: "image/jpeg",
    isPlaced: true,
    turnRadPerS: turn,
    moveMPerS: 0,
  };
}

function kept(...images: readonly CameraImage[]): KeyImages {
  const all = new KeyImages();
  for (const one of images) all.offer(one);
  return all;
}

const bestOf = (images: KeyImages, nowMs: number): number | undefined => images.best(nowMs)?.view.imageId;

test("[VN20] the newest, unless a moment before was much sharper; never an old one", () => {
  assert.equal(bestOf(kept(image(1, 0), image(2, 500)), 600), 2);
  assert.equal(bestOf(kept(image(1, 0), image(2, 500, { turn: 3 })), 600), 1);
  // The encoder found little in it: defocus or a hand before the lens.
  assert.equal(bestOf(kept(image(1, 0), image(2, 500, { bytes: 6_000 })), 600), 1);
  // All of them blurred: the best of a bad lot, but not what was seen long before.
  assert.equal(bestOf(kept(image(1, 0), image(2, 3_000, { turn: 2 }), image(3, 3_500, { turn: 3 })), 3_600), 2);
  assert.equal(bestOf(kept(image(1, 0)), 10_001), undefined);
  assert.equal(bestOf(kept(), 0), undefined);
});

test("[VN21] unasked looks: sharp, new, within pause and budget", () => {
  const images = new KeyImages({ ...KEY_IMAGE_LIMITS, looksPerMinute: 3, pauseMs: 1_000 });
  const look = (one: CameraImage): string => {
    images.offer(one);
    const due = images.due(one.view.atMs);
    if (due === undefined) return "-";
    images.noteLook(due.view, one.view.atMs);
    return `${due.view.imageId}`;
  };
  assert.equal(look(image(1, 0)), "1");
  assert.equal(look(image(2, 2_000)), "-", "the same view");
  assert.equal(look(image(3, 2_100, { yaw: 1, turn: 3 })), "-", "blurred");
  assert.equal(look(image(4, 2_200, { yaw: 1 })), "4");
  assert.equal(look(image(5, 2_300, { yaw: 2 })), "-", "too soon");
  assert.equal(look(image(6, 3_400, { x: 2 })), "6");
  assert.equal(look(image(7, 9_000, { x: 4 })), "-", "three a minute");
  assert.equal(look(image(8, 62_500, { x: 4 })), "8");
  assert.equal(look(image(9, 65_000)), "9", "a minute later the first view counts as new");
});

test("[VN22] images are bounded in number and bytes", () => {
  const many = kept(...Array.from({ length: 20 }, (_, index) => image(index, index)));
  assert.equal(many.size, KEY_IMAGE_LIMITS.imagesMax);
  assert.equal(many.find(3), undefined);
  assert.equal(many.find(19)?.view.imageId, 19);
  const heavy = kept(image(1, 0, { bytes: 5_000_000 }), image(2, 1, { bytes: 5_000_000 }));
  assert.equal(heavy.size, 1);
  heavy.clear();
  assert.equal(bestOf(heavy, 1), undefined);
});
