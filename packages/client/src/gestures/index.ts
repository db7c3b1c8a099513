// @fovea/client/gestures: gestures and poses of the application's own, recognised in the page. An entry of its own, because a
// page that needs none should not load it.
import type { ExtraGestures, GestureModel } from "@fovea/protocol/gestures";
import { readGestureModel, TaughtGestures } from "@fovea/protocol/gestures";
import { FoveaError } from "../gateway-connection.ts";

export type { ExtraGestures, GestureModel };

/**
 * Reads a model that `npx fovea gestures train` wrote, for `fovea.gestures.use(...)`. Throws a `FoveaError` with the code
 * `gesture_model_invalid` for anything else.
 */
export function readGestures(text: string): () => ExtraGestures {
  const read = readGestureModel(text);
  if (read.outcome === "error") throw new FoveaError("gesture_model_invalid", read.error.message);
  const { model } = read;
  if (model.spot === undefined && model.poses.length === 0) {
    throw new FoveaError(
      "gesture_model_invalid",
      "the gesture model was trained for single sequences, not for streams",
    );
  }
  return () => new TaughtGestures(model);
}
