import type { GestureModel } from "@fovea/protocol/gestures";
import { readGestureModel } from "@fovea/protocol/gestures";
import { GatewayError } from "../errors/gateway-error.ts";

/** Throws `request_invalid` with the field's name. */
export function parseGestureModel(text: string): GestureModel {
  const read = readGestureModel(text);
  if (read.outcome === "model") return read.model;
  throw new GatewayError("request_invalid", read.error.message, { param: read.error.field });
}
