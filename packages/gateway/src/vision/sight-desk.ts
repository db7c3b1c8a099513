// Between a session's camera and the models that see. Every image passes here on its way out: it is covered where the
// operator wants it, looked through for what the question names and the room does not know, or left out where nobody
// could look at it anyway.
import type {
  AnswerEngine,
  CameraImage,
  Clock,
  ContentPart,
  ImageView,
  Log,
  Meter,
  ModelListing,
  Principal,
  SceneSnapshot,
  SeenBox,
  XRRequest,
} from "@fovea/core";
import { GatewayError, sightNeedOf } from "@fovea/core";
import type { ImageGuard, PlainImage } from "./image-guard.ts";

export interface SightOptions {
  /** Which model finds things: `provider/model`, an alias or `auto`. */
  readonly model: string;
  /** How long a question may wait for things to be found. */
  readonly findMs: number;
}

export const SIGHT_OPTIONS: SightOptions = { model: "auto", findMs: 5_000 };

export interface SightDeskParts {
  readonly engine: Pick<AnswerEngine, "perform" | "listModels">;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly guard?: ImageGuard;
  readonly options?: Partial<SightOptions>;
}

/** The session as the desk needs it. */
export interface SightRoom {
  readonly sessionId: string;
  readonly principal: Principal;
  /** Puts what was found into the room. */
  found(view: ImageView, boxes: readonly SeenBox[], labels: readonly string[] | undefined): void;
  scene(): SceneSnapshot;
}

/** A look nobody waits for. */
const LOOK_MS = 15_000;

export class SightDesk {
  readonly #parts: SightDeskParts;
  readonly #options: SightOptions;
  #looks = 0;

  constructor(parts: SightDeskParts) {
    this.#parts = parts;
    this.#options = { ...SIGHT_OPTIONS, ...parts.options };
  }

  /** Whether any model of this user's could do anything with an image. */
  isUseful(principal: Principal): boolean {
    const { sees, finds } = this.#abilities(principal);
    return sees || finds;
  }

  /**
   * The request with what its image shows of the question in the room, or with the image for a model that sees, covered
   * where there is a guard; without it where no model could look, or where it could not be covered.
   */
  async prepare(request: XRRequest, room: SightRoom, signal: AbortSignal): Promise<XRRequest> {
    const view = request.sight;
    const image = imageOf(request);
    if (image === undefined) return request;
    const { sees, finds } = this.#abilities(request.principal);
    if (!sees && !finds) return withoutImage(request);
    const covered = await this.#cover(image, room.sessionId, signal);
    if (covered === undefined) return withoutImage(request);
    const need = sightNeedOf(questionOf(request), request.context.scene);
    if (need.kind === "find" && finds && view !== undefined) {
      const leftMs = (request.deadlineMs - this.#parts.clock.monotonicMs()) / 2;
      const timeMs = Math.min(this.#options.findMs, leftMs);
      const boxes = await this.#find(covered, need.labels, room, timeMs, signal);
      signal.throwIfAborted();
      if (boxes !== undefined) {
        room.found(view, boxes, need.labels);
        const known = { ...request, context: { ...request.context, scene: room.scene() } };
        // What was found is an entity now, and needs no image any more.
        return boxes.length > 0 || !sees ? withoutImage(known) : withImage(known, covered);
      }
    }
    return sees ? withImage(request, covered) : withoutImage(request);
  }

  /** Looks for everything in an image that shows something new. Never throws. */
  async lookAround({ view, bytes, mime }: CameraImage, room: SightRoom, signal: AbortSignal): Promise<void> {
    if (!this.#abilities(room.principal).finds) return;
    const covered = await this.#cover({ bytes, mime }, room.sessionId, signal);
    if (covered === undefined) return;
    const boxes = await this.#find(covered, undefined, room, LOOK_MS, signal);
    if (boxes !== undefined && !signal.aborted) room.found(view, boxes, undefined);
  }

  /** Undefined where the image could not be covered: it stays here. */
  async #cover(image: PlainImage, sessionId: string, signal: AbortSignal): Promise<PlainImage | undefined> {
    const { guard, log, meter } = this.#parts;
    if (guard === undefined) return image;
    try {
      const covered = await guard.cover(image, signal);
      meter.count("xr.sight.covered", { outcome: "ok" });
      return covered;
    } catch (error) {
      signal.throwIfAborted();
      meter.count("xr.sight.covered", { outcome: "failed" });
      log.write("warn", "an image could not be covered and stays here", { sessionId, error: nameOf(error) });
      return undefined;
    }
  }

  /** Undefined where no model could look in time. */
  async #find(
    image: PlainImage,
    labels: readonly string[] | undefined,
    room: SightRoom,
    timeMs: number,
    signal: AbortSignal,
  ): Promise<readonly SeenBox[] | undefined> {
    const { engine, clock, log, meter } = this.#parts;
    const startedMs = clock.monotonicMs();
    const labelled = labels === undefined ? {} : { labels };
    const kind = labels === undefined ? "around" : "find";
    const limit = new AbortController();
    const stop = (): void => limit.abort(new GatewayError("request_cancelled", "the question was cancelled"));
    signal.addEventListener("abort", stop, { once: true });
    const cancelTimer = clock.schedule(Math.max(1, timeMs), () =>
      limit.abort(new GatewayError("deadline_exceeded", "no model looked in time")),
    );
    try {
      const served = await engine.perform(
        {
          requestId: `${room.sessionId}.look${++this.#looks}`,
          operation: "vision",
          input: { model: this.#options.model, image: { bytes: image.bytes, mime: image.mime }, ...labelled },
          principal: room.principal,
          deadlineMs: startedMs + timeMs,
        },
        limit.signal,
      );
      meter.count("xr.sight.looks", { kind, outcome: "ok" });
      meter.record("xr.sight.duration", { kind }, (clock.monotonicMs() - startedMs) / 1_000);
      return served.result.objects;
    } catch (error) {
      meter.count("xr.sight.looks", { kind, outcome: "failed" });
      log.write("warn", "no model looked at an image", { sessionId: room.sessionId, kind, error: nameOf(error) });
      return undefined;
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", stop);
    }
  }

  #abilities(principal: Principal): { readonly sees: boolean; readonly finds: boolean } {
    const models = this.#parts.engine.listModels(principal);
    const has = (feature: ModelListing["features"][number]): boolean =>
      models.some((model) => model.features.includes(feature));
    return { sees: has("vision-input"), finds: has("vision") };
  }
}

function imageOf({ chat }: XRRequest): PlainImage | undefined {
  for (const part of chat.messages.at(-1)?.content ?? []) {
    if (part.type === "media" && part.kind === "image" && "bytes" in part.data)
      return { bytes: part.data.bytes, mime: part.mime };
  }
  return undefined;
}

function questionOf({ chat }: XRRequest): string {
  return (chat.messages.at(-1)?.content ?? []).map((part) => (part.type === "text" ? part.text : "")).join(" ");
}

function withImage(request: XRRequest, image: PlainImage): XRRequest {
  return withContent(request, (part) =>
    isImage(part) ? [{ type: "media", kind: "image", mime: image.mime, data: { bytes: image.bytes } }] : [part],
  );
}

/** No model needs to see then, and no mark can be set. */
function withoutImage(request: XRRequest): XRRequest {
  const { sight: _sight, ...rest } = withContent(request, (part) => (isImage(part) ? [] : [part]));
  return { ...rest, needs: { ...rest.needs, vision: false } };
}

function withContent(request: XRRequest, change: (part: ContentPart) => readonly ContentPart[]): XRRequest {
  const { messages } = request.chat;
  const last = messages.at(-1);
  if (last === undefined) return request;
  const changed = { ...last, content: last.content.flatMap(change) };
  return { ...request, chat: { ...request.chat, messages: [...messages.slice(0, -1), changed] } };
}

function isImage(part: ContentPart): boolean {
  return part.type === "media" && part.kind === "image";
}

function nameOf(error: unknown): string {
  return GatewayError.is(error) ? error.code : error instanceof Error ? error.name : typeof error;
}
