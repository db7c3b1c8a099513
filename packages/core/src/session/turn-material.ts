import type { AskMessage, ToolDescription } from "@fovea/protocol";
import type { ContentPart, Message, ToolDefinition } from "../model/chat.ts";
import type { Principal } from "../model/privacy.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { CameraImage } from "../vision/key-images.ts";

/** A user who waits no longer than this is in a conversation with what he sees. */
const INTERACTIVE_MS = 3_000;

export interface TurnMaterial {
  readonly requestId: string;
  readonly ask: AskMessage;
  readonly model: string;
  readonly history: readonly Message[];
  readonly tools: readonly ToolDescription[];
  readonly image?: CameraImage;
  readonly context: XRContext;
  /** What words of the question were found to mean, for models. */
  readonly references?: readonly string[];
  readonly principal: Principal;
  readonly deadlineMs: number;
}

/** The engine's request for a question asked in a room. */
export function turnRequestFrom(material: TurnMaterial): XRRequest {
  const { requestId, ask, history, image, context, principal, deadlineMs } = material;
  const content: ContentPart[] = [{ type: "text", text: ask.text ?? "" }];
  if (image !== undefined) {
    content.push({ type: "media", kind: "image", mime: image.mime, data: { bytes: image.bytes } });
  }
  const tools = material.tools.map(({ name, description, parameters }): ToolDefinition => ({
    name,
    description,
    schema: parameters,
  }));
  const locale = ask.locale ?? context.locale;
  return {
    requestId,
    kind: "turn",
    model: ask.model ?? material.model,
    chat: {
      ...(material.references === undefined || material.references.length === 0 ? {} : { system: material.references }),
      messages: [...history, { role: "user", content }],
      ...(tools.length === 0 ? {} : { tools }),
    },
    context: locale === context.locale ? context : { ...context, locale },
    needs: {
      // Speech is made from the text by the gateway and is nothing a provider must be able to do.
      modalities: ask.modalities.filter((modality) => modality !== "audio"),
      tools: tools.length > 0,
      structuredOutput: false,
      vision: image !== undefined,
      audioInput: false,
      contextTokensMin: 0,
    },
    deadlineMs,
    latencyClass: (ask.latencyMs ?? 0) <= INTERACTIVE_MS ? "interactive" : "conversational",
    ...(ask.modalities.includes("audio") ? { isSpoken: true } : {}),
    principal,
    commit: "sentence",
    ...(image?.isPlaced === true ? { sight: image.view } : {}),
  };
}
