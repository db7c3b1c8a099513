// Keeps a conversation connected: opens the first vendor that lets itself be opened, and after a loss the same one by its
// handle, the same one anew, then the others. The conversation itself is its host's; the link only asks what to tell.
import type { Cancel, Candidate, CellHealthBook, Clock, Log, Meter, RealtimeOpening } from "@fovea/core";
import { GatewayError, hasCapability } from "@fovea/core";
import type { LiveCodec, LiveEvent, LiveStart } from "../../providers/live-codec.ts";
import { liveCodecFor } from "../../providers/live-codecs.ts";
import { CONNECTION_LIMITS, LiveConnection, type ConnectionLimits } from "./live-connection.ts";

export interface LinkParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly health: Pick<CellHealthBook, "of" | "admit">;
  /** In order of preference; at least one. */
  readonly candidates: readonly Candidate[];
  readonly limits?: Partial<LinkLimits>;
}

export interface LinkLimits extends ConnectionLimits {
  /** From the open socket to a session that takes words. */
  readonly readyMs: number;
  /** Waits before the rounds through all vendors; their number is the number of rounds. */
  readonly roundsMs: readonly number[];
}

export const LINK_LIMITS: LinkLimits = { ...CONNECTION_LIMITS, readyMs: 5_000, roundsMs: [0, 250, 1_000] };

export interface Linked {
  readonly candidate: Candidate;
  readonly before: Candidate | undefined;
  readonly isResumed: boolean;
  readonly codec: LiveCodec;
}

export interface LinkHost {
  /** What a fresh connection to this cell is told. */
  start(candidate: Candidate, handle: string | undefined): LiveStart;
  linked(linked: Linked): void;
  event(event: LiveEvent): void;
  /** Not connected any more; it is tried again. */
  lost(reason: string): void;
  /** No vendor is left. */
  gone(error: GatewayError): void;
}

interface Way {
  readonly candidate: Candidate;
  readonly handle: string | undefined;
}

export class LiveLink {
  readonly #parts: LinkParts;
  readonly #limits: LinkLimits;
  readonly #host: LinkHost;
  #connection: LiveConnection | undefined;
  /** Not ready yet. */
  #pending: LiveConnection | undefined;
  #codec: LiveCodec | undefined;
  #candidate: Candidate | undefined;
  #handle: string | undefined;
  #isUp = false;
  #isClosed = false;
  #cancelWait: Cancel | undefined;
  #cancelRound: Cancel | undefined;
  #last = "";

  constructor(parts: LinkParts, host: LinkHost) {
    this.#parts = parts;
    this.#host = host;
    this.#limits = { ...LINK_LIMITS, ...parts.limits };
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Who answers, or did so last. */
  get candidate(): Candidate | undefined {
    return this.#candidate;
  }

  /** Of the connection that is up. */
  get codec(): LiveCodec | undefined {
    return this.#isUp ? this.#codec : undefined;
  }

  /** The wire of the vendor that would be asked first takes new settings in mid-session. */
  get takesUpdates(): boolean {
    const candidate = this.#candidate ?? this.#parts.candidates[0];
    return candidate !== undefined && this.#openingOf(candidate)?.dialect === "openai-realtime";
  }

  open(): void {
    this.#round(this.#ways(false), 0);
  }

  send(texts: readonly string[]): void {
    if (this.#isUp) for (const text of texts) this.#connection?.send(text);
  }

  /** A planned change of connection (other settings, or the vendor announced its end): the same vendor first. */
  reopen(): void {
    if (this.#isClosed || !this.#isUp) return;
    this.#isUp = false;
    this.#connection?.close();
    this.#round(this.#ways(false), 0);
  }

  /** The vendor does not do what it should: it is left, and the others come first. */
  abandon(reason: string): void {
    if (this.#isClosed || !this.#isUp) return;
    this.#connection?.close();
    this.#lose(reason, true);
  }

  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    this.#cancelWait?.();
    this.#cancelRound?.();
    this.#pending?.close();
    this.#connection?.close();
  }

  #ways(isOut: boolean): readonly Way[] {
    const { candidates } = this.#parts;
    const current = this.#candidate;
    if (current === undefined) return candidates.map((candidate) => ({ candidate, handle: undefined }));
    const same: Way[] = [
      ...(this.#handle === undefined ? [] : [{ candidate: current, handle: this.#handle }]),
      { candidate: current, handle: undefined },
    ];
    const others = candidates
      .filter((candidate) => candidate !== current)
      .map((candidate) => ({ candidate, handle: undefined }));
    return isOut ? [...others, ...same.slice(-1)] : [...same, ...others];
  }

  #round(ways: readonly Way[], number: number): void {
    const waitMs = this.#limits.roundsMs[number];
    if (this.#isClosed) return;
    if (waitMs === undefined) {
      this.#host.gone(new GatewayError("provider_failed", `no vendor could be reached: ${this.#last}`));
      return;
    }
    this.#cancelRound = this.#parts.clock.schedule(waitMs, () => this.#try(ways, 0, number));
  }

  #try(ways: readonly Way[], index: number, round: number): void {
    if (this.#isClosed) return;
    const way = ways[index];
    if (way === undefined) {
      this.#round(
        ways.filter(({ handle }) => handle === undefined),
        round + 1,
      );
      return;
    }
    const next = (reason: string): void => {
      this.#last = `${way.candidate.cell.providerId}: ${reason}`;
      this.#try(ways, index + 1, round);
    };
    const { clock, health } = this.#parts;
    const nowMs = clock.monotonicMs();
    const isOnly = ways.every(({ candidate }) => candidate === way.candidate);
    const admission = health.admit(way.candidate, nowMs);
    if (admission !== "closed" && admission !== "probe" && !isOnly) next("rests after failures");
    else this.#connect(way, next);
  }

  #openingOf(candidate: Candidate): RealtimeOpening | undefined {
    const { adapter } = candidate.entry;
    if (!hasCapability(adapter, "realtime")) return undefined;
    return adapter.openRealtime({ kind: "conversation", model: candidate.cell.model });
  }

  #connect(way: Way, next: (reason: string) => void): void {
    const { clock } = this.#parts;
    const { candidate, handle } = way;
    const startedMs = clock.monotonicMs();
    const opening = this.#openingOf(candidate);
    const codec = liveCodecFor(opening?.dialect);
    if (opening === undefined || codec === undefined) return next("does not converse");
    let isSettled = false;
    const fail = (reason: string): void => {
      if (isSettled) return;
      isSettled = true;
      this.#cancelWait?.();
      connection.close();
      this.#judge(candidate, startedMs, false);
      // A handle that is not taken says nothing against the vendor.
      if (handle !== undefined) this.#handle = undefined;
      next(reason);
    };
    const connection: LiveConnection = new LiveConnection(
      opening,
      clock,
      {
        opened: () => {
          this.#cancelWait = clock.schedule(this.#limits.readyMs, () => fail("the session did not begin in time"));
          for (const text of codec.open(this.#host.start(candidate, handle))) connection.send(text);
        },
        message: (text) => {
          for (const event of this.#decoded(codec, text)) {
            if (!isSettled && event.type === "ready") {
              isSettled = true;
              this.#cancelWait?.();
              this.#judge(candidate, startedMs, true);
              this.#up({ candidate, before: this.#candidate, isResumed: handle !== undefined, codec }, connection);
            } else if (!isSettled && event.type === "failed") fail(event.code);
            else if (this.#connection === connection && this.#isUp) this.#take(event);
          }
        },
        ended: ({ code, reason, refusedStatus }) => {
          const why =
            refusedStatus === undefined ? `closed with ${code} ${reason}`.trim() : `refused with ${refusedStatus}`;
          if (!isSettled) fail(why);
          else if (this.#connection === connection && this.#isUp) this.#lose(why, false);
        },
      },
      this.#limits,
    );
    this.#pending = connection;
  }

  #decoded(codec: LiveCodec, text: string): readonly LiveEvent[] {
    try {
      return codec.decode(text);
    } catch {
      return [{ type: "failed", code: "protocol", message: "the vendor sent what is not its protocol", isFatal: true }];
    }
  }

  #up(linked: Linked, connection: LiveConnection): void {
    this.#pending = undefined;
    this.#connection = connection;
    this.#codec = linked.codec;
    this.#candidate = linked.candidate;
    if (!linked.isResumed) this.#handle = undefined;
    this.#isUp = true;
    this.#host.linked(linked);
  }

  #take(event: LiveEvent): void {
    if (event.type === "handle") this.#handle = event.handle;
    this.#host.event(event);
    if (event.type === "failed" && event.isFatal) this.abandon(event.code);
  }

  #lose(reason: string, isOut: boolean): void {
    const candidate = this.#candidate;
    this.#isUp = false;
    this.#last = `${candidate?.cell.providerId ?? ""}: ${reason}`;
    const { clock, log, meter } = this.#parts;
    if (candidate !== undefined) {
      this.#judge(candidate, clock.monotonicMs(), false);
      meter.count("xr.realtime.lost", { provider: candidate.cell.providerId });
      log.write("warn", "a realtime vendor was lost", { provider: candidate.cell.providerId, reason });
    }
    this.#host.lost(reason);
    this.#round(this.#ways(isOut), 0);
  }

  #judge(candidate: Candidate, startedMs: number, isGood: boolean): void {
    const { breaker } = this.#parts.health.of(candidate);
    const nowMs = this.#parts.clock.monotonicMs();
    if (isGood) breaker.succeeded(startedMs, nowMs, false);
    else breaker.failed(startedMs, nowMs, "hard");
  }
}
