// `/v1/realtime/calls`: the same sessions over WebRTC. The offer comes by HTTP, the events over a data channel, the sound
// as Opus; a server may listen in and steer over a WebSocket with `?call_id=`.
import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DoorPort, DoorRequest, DoorSession } from "../doors/door-socket.ts";
import { EventError, parseEvent, type Json } from "../doors/json-event.ts";
import { checkModel, openSession, type SessionParts } from "../doors/open-session.ts";
import { XRExtension } from "../doors/xr-extension.ts";
import { WebRtcLeg } from "../webrtc/webrtc-leg.ts";
import type { ClientSecrets } from "./client-secrets.ts";
import { readSdpForm } from "./sdp-form.ts";
import { rateLimitLines } from "./rate-limits.ts";
import { RealtimeSession } from "./realtime-session.ts";

const CALLS_MAX = 200;
/** A tenth of a second is what a player keeps: so little is stale after an interruption. */
const LEAD_MS = 120;
const SDP_BYTES_MAX = 200_000;

interface Call {
  readonly id: string;
  readonly principal: Principal;
  leg: WebRtcLeg | undefined;
  session: RealtimeSession | undefined;
  readonly observers: Set<DoorPort>;
}

export class Calls {
  readonly #parts: SessionParts;
  readonly #secrets: ClientSecrets;
  readonly #calls = new Map<string, Call>();

  constructor(parts: SessionParts, secrets: ClientSecrets) {
    this.#parts = parts;
    this.#secrets = secrets;
  }

  get size(): number {
    return this.#calls.size;
  }

  register(app: FastifyInstance, principalOf: (request: FastifyRequest) => Principal): void {
    void app.register((scope, _options, done) => {
      const types = ["application/sdp", "multipart/form-data", "text/plain"];
      scope.addContentTypeParser(types, { parseAs: "string", bodyLimit: SDP_BYTES_MAX }, (_request, body, next) =>
        next(null, body),
      );
      scope.post(
        "/v1/realtime/calls",
        { config: { access: "session" }, bodyLimit: SDP_BYTES_MAX },
        async (request, reply) => {
          const { id, sdp } = await this.#answer(request, principalOf(request));
          return reply.code(201).header("location", `/v1/realtime/calls/${id}`).type("application/sdp").send(sdp);
        },
      );
      scope.post<{ Params: { id: string; deed: string } }>(
        "/v1/realtime/calls/:id/:deed",
        { config: { access: "session" } },
        async (request, reply) => {
          this.#deed(request.params, principalOf(request));
          return reply.code(200).send({});
        },
      );
      done();
    });
  }

  /** A server beside the call: it sees the events and may send its own. */
  observe(callId: string, port: DoorPort, request: DoorRequest): DoorSession {
    const call = this.#find(callId, request.principal);
    call.observers.add(port);
    return {
      text: (text) => call.session?.text(text),
      binary: () => {},
      closed: () => void call.observers.delete(port),
    };
  }

  close(): void {
    for (const call of this.#calls.values()) this.#end(call);
  }

  async #answer(request: FastifyRequest, principal: Principal): Promise<{ readonly id: string; readonly sdp: string }> {
    if (this.#calls.size >= CALLS_MAX)
      throw new GatewayError("session_limit", "too many calls", { retryAfterMs: 5_000 });
    const { offer, session } = offerOf(request);
    const { ids, registry } = this.#parts;
    const preset = { ...this.#secrets.presetOf(request.headers, request.url), ...session };
    const asked = new URL(request.url, "http://gateway").searchParams.get("model");
    const named = typeof preset["model"] === "string" ? preset["model"] : undefined;
    const model = asked ?? named;
    if (model !== undefined) checkModel(registry, model);
    const call: Call = { id: ids.next("rtc"), principal, leg: undefined, session: undefined, observers: new Set() };
    this.#calls.set(call.id, call);
    try {
      const { leg, sdp } = await WebRtcLeg.answer(offer, this.#parts.clock, {
        opened: () => this.#open(call, model, preset),
        text: (text) => call.session?.text(text),
        audio: (pcm, rateHz) => call.session?.audio(pcm, rateHz),
        started: (response_id) => call.session?.tell("output_audio_buffer.started", { response_id }),
        stopped: (response_id) => call.session?.tell("output_audio_buffer.stopped", { response_id }),
        played: (mark) => call.session?.played(mark),
        closed: () => this.#end(call),
      });
      call.leg = leg;
      return { id: call.id, sdp };
    } catch (error) {
      this.#calls.delete(call.id);
      throw error;
    }
  }

  #open(call: Call, model: string | undefined, preset: Json): void {
    const { clock, ids, log } = this.#parts;
    const { leg, principal } = call;
    if (leg === undefined || call.session !== undefined) return;
    const xr = new XRExtension(clock, principal);
    const { type: _type, ...given } = preset;
    call.session = new RealtimeSession({
      clock,
      ids,
      log,
      model,
      isTranscription: false,
      preset: given,
      xr,
      limits: () => rateLimitLines(this.#parts.limitsOf(principal)),
      media: {
        audio: ({ itemId, epoch, startMs, pcm, sampleRateHz }, responseId) =>
          leg.audio(pcm, sampleRateHz, { responseId, itemId, epoch, startMs }),
        finish: () => leg.finish(),
        clear: () => leg.clear(),
      },
      leadMs: LEAD_MS,
      send: (event) => {
        const text = JSON.stringify(event);
        leg.send(text);
        for (const observer of call.observers) observer.send(text);
      },
      close: () => this.#end(call),
      open: ({ model: chosen, settings, output }) => {
        checkModel(this.#parts.registry, chosen);
        const all = { ...settings, model: chosen };
        return openSession(this.#parts, { principal, output, context: () => xr.context(), settings: all });
      },
    });
  }

  #deed({ id, deed }: { readonly id: string; readonly deed: string }, principal: Principal): void {
    if (deed !== "hangup") {
      const message = `calls/${deed.slice(0, 40)}: belongs to telephone calls, which this gateway does not take`;
      throw new GatewayError("request_unsupported", message, { param: "path" });
    }
    this.#end(this.#find(id, principal));
  }

  #find(id: string, principal: Principal): Call {
    const call = this.#calls.get(id);
    const isOwn = call?.principal.tenantId === principal.tenantId && call.principal.userId === principal.userId;
    if (call === undefined || !isOwn) throw new GatewayError("session_unknown", `there is no call ${id.slice(0, 80)}`);
    return call;
  }

  #end(call: Call): void {
    if (!this.#calls.delete(call.id)) return;
    call.session?.closed();
    call.leg?.close();
    for (const observer of call.observers) observer.close(1000, "the call is over");
  }
}

/** The offer alone, or a form of the offer and the session. */
function offerOf(request: { readonly body: unknown; readonly headers: IncomingHttpHeaders }): {
  readonly offer: string;
  readonly session: Json;
} {
  const body = typeof request.body === "string" ? request.body : "";
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) return { offer: body, session: {} };
  const fields = readSdpForm(body, type);
  try {
    const text = fields.get("session");
    return { offer: fields.get("sdp") ?? "", session: text === undefined ? {} : parseEvent(text) };
  } catch (error) {
    const message = error instanceof EventError ? error.message : "is not valid";
    throw new GatewayError("request_invalid", `session: ${message}`, { param: "session" });
  }
}
