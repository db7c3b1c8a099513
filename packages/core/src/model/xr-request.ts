import type { ChatRequest } from "./chat.ts";
import type { Modality } from "./modality.ts";
import type { Principal } from "./privacy.ts";
import type { ImageView } from "./sight.ts";
import type { XRContext } from "./xr-context.ts";

export type LatencyClass = "interactive" | "conversational" | "background";

/** What the caller needs beside an answer; routing filters on it. */
export interface RequestNeeds {
  readonly modalities: readonly Modality[];
  readonly tools: boolean;
  readonly structuredOutput: boolean;
  readonly vision: boolean;
  readonly audioInput: boolean;
  readonly contextTokensMin: number;
  readonly region?: string;
}

/** A turn or a plain call on its way through the spine. Values go down with it; nobody asks back. */
export interface XRRequest {
  readonly requestId: string;
  readonly kind:
    | "chat"
    | "embedding"
    | "turn"
    | "spatial-query"
    | "vision"
    | "speech-to-text"
    | "text-to-speech"
    | "image"
    | "render"
    | "haptic";
  /** As the caller named it: `provider/model`, a plain name, an alias or `auto`. */
  readonly model: string;
  readonly chat: Omit<ChatRequest, "model">;
  readonly context: XRContext;
  readonly needs: RequestNeeds;
  /** Monotonic instant after which the answer is worth nothing. */
  readonly deadlineMs: number;
  readonly latencyClass: LatencyClass;
  /** The answer will be spoken: a model that is slower than speech leaves its listener in silence. */
  readonly isSpoken?: boolean;
  readonly budget?: { readonly costMicroUsdMax?: number };
  readonly principal: Principal;
  /** Whether answers keep whole sentences together before they are released; `raw` lets half a tool call through too. */
  readonly commit: "token" | "raw" | "sentence";
  /** `whole`: the caller reads the answer only at its end, so the provider may be asked without streaming. */
  readonly delivery?: "parts" | "whole";
  /** The eye of the image in the question: what a model marks in it can be placed in the room. */
  readonly sight?: ImageView;
  /** W3C trace context of the caller. */
  readonly traceparent?: string;
}
