// One simulated person with a headset: walks, looks about, asks, interrupts, loses the network, changes its mind about
// consent. It checks what it receives as a strict client would, and writes violations down.
import type { HelloMessage, InputSourceDescription, SceneNode, ServerMessage } from "@fovea/protocol";
import { createPoseSample, decodePosePacket, encodePosePacket, SourceTable } from "@fovea/protocol";
import { SESSION_LIMITS, XRSession } from "@fovea/core";
import type { SessionInput, SessionOutput } from "@fovea/core";
import type { SeededRandom } from "@fovea/core/testing";
import { askMessage, FULL_CONSENT, helloMessage, sceneNode, sourceDescription } from "@fovea/core/testing";
import type { EventQueue } from "./event-queue.ts";
import type { ScriptedAnswers } from "./scripted-answers.ts";

/** Poses are thinned: one every 5 s, and a fifth of a second at 30 Hz before each question. */
export const POSE_EVERY_MS = 5_000;
export const BURST_POSES = 6;

export interface Tallies {
  sessions: number;
  poses: number;
  asks: number;
  dones: number;
  lost: number;
  resumes: number;
  drops: number;
  consents: number;
  grounded: number;
}

interface TurnSeen {
  nextSeq: number;
  isDone: boolean;
}

const SAMPLE = createPoseSample();
const SENT = createPoseSample();
const BYTES = new Uint8Array(2_048);

export interface World {
  readonly queue: EventQueue;
  readonly answers: ScriptedAnswers;
  readonly tallies: Tallies;
  readonly violations: string[];
  /** Folds what happened into the trace. */
  readonly trace: (text: string) => void;
}

export class Headset {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #name: string;
  readonly #hands: boolean;
  readonly #nodes: SceneNode[];
  readonly #sources: readonly InputSourceDescription[];
  readonly #table = new SourceTable();
  readonly #turns = new Map<string, TurnSeen>();
  readonly #requests = new Map<string, string>();
  #session: XRSession | undefined;
  #sessionCount = 0;
  #turnCount = 0;
  #connection = 0;
  #isConnected = false;
  #epoch = 0;
  #offsetMs: number;
  #wayMs = 20;
  #armedMs = Infinity;
  #consent = FULL_CONSENT;
  #seq = 0;
  #lookAt = 0;
  #told: readonly string[] = [];

  constructor(world: World, index: number, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#name = `h${index}`;
    this.#hands = index % 5 === 0;
    this.#offsetMs = random.next() * 1e6;
    this.#nodes = Array.from({ length: 15 + random.integer(30) }, (_, i) => this.#furniture(i));
    this.#sources = [1, 2].map((id) =>
      sourceDescription(id, { handedness: id === 1 ? "left" : "right", hand: this.#hands, buttons: 2, axes: 0 }),
    );
    for (const source of this.#sources) this.#table.set(source);
    world.queue.in(random.next() * 10_000, () => this.#connect());
    this.#later(POSE_EVERY_MS, () => this.#walk());
    this.#later(30_000, () => this.#converse());
    this.#later(5_000, () => this.#rearrange());
    this.#later(400_000, () => this.#loseNetwork());
    this.#later(700_000, () => this.#reconsider());
  }

  get session(): XRSession | undefined {
    return this.#session;
  }

  /** What must hold at any time; returns what does not. */
  bounds(): readonly string[] {
    const session = this.#session;
    if (session === undefined) return [];
    const { context } = session;
    const frozen = context.freeze(this.#world.queue.nowMs);
    const measures: readonly (readonly [name: string, value: number, max: number])[] = [
      ["turns kept", session.keptTurns, 10],
      ["poses kept", context.window.viewer.count, 362],
      ["entities", context.scene.size, this.#nodes.length],
      ["changes", frozen.scene.changes.length, 64],
      ["attention spans", frozen.attentionHistory.length, 8 * 65],
    ];
    return measures.filter(([, value, max]) => value > max).map(([name, value]) => `${this.#name}: ${value} ${name}`);
  }

  /** At the end: turns that were asked and never ended, of a session that is still there. */
  unanswered(): number {
    let count = 0;
    for (const seen of this.#turns.values()) if (!seen.isDone) count++;
    return count;
  }

  finish(): void {
    if (!this.#isConnected) this.#connect();
  }

  // --- what it does ---

  #walk(): void {
    this.#lookAt = this.#random.integer(this.#nodes.length);
    this.#pose();
    this.#world.queue.in(POSE_EVERY_MS, () => this.#walk());
  }

  #converse(): void {
    for (let i = 0; i < BURST_POSES; i++) this.#world.queue.in(i * 33, () => this.#pose());
    this.#world.queue.in(BURST_POSES * 33 + 10, () => {
      this.#ask();
      const fate = this.#random.next();
      if (fate < 0.15) this.#later(600, () => this.#ask());
      else if (fate < 0.2) this.#later(500, () => this.#cancel());
    });
    this.#later(50_000, () => this.#converse());
  }

  #rearrange(): void {
    const index = this.#random.integer(this.#nodes.length);
    const node = { ...this.#nodes[index]!, pose: { position: this.#place(), orientation: [0, 0, 0, 1] } } as SceneNode;
    this.#nodes[index] = node;
    if (this.#isConnected && this.#consent.room !== "none") {
      this.#send({
        type: "scene.update",
        frame: "local-floor",
        add: [],
        update: [{ id: node.id, pose: node.pose }],
        remove: [],
      });
    }
    this.#later(30_000, () => this.#rearrange());
  }

  #loseNetwork(): void {
    if (this.#isConnected) {
      this.#world.tallies.drops++;
      this.#isConnected = false;
      this.#connection++;
      // Half of the time nobody tells the gateway: it must find out by itself.
      const connection = this.#connection;
      const isSilent = this.#random.next() < 0.5;
      if (!isSilent) this.#feed({ type: "detach" });
      const awayMs = this.#random.next() < 0.1 ? 90_000 : 500 + this.#random.next() * 15_000;
      this.#world.queue.in(awayMs, () => {
        if (connection === this.#connection) this.#connect();
      });
    }
    this.#later(400_000, () => this.#loseNetwork());
  }

  #reconsider(): void {
    if (this.#isConnected) {
      const hands = this.#random.pick(["none", "gesture", "rounded", "raw"] as const);
      const room = this.#random.pick(["none", "labels", "full", "full"] as const);
      const before = this.#consent.room;
      this.#consent = { ...FULL_CONSENT, hands, room, head: this.#random.next() > 0.2 };
      this.#world.tallies.consents++;
      this.#send({ type: "consent", consent: this.#consent });
      if (room !== "none" && room !== before) this.#tellRoom();
    }
    this.#later(700_000, () => this.#reconsider());
  }

  // --- how it talks ---

  #connect(): void {
    if (this.#isConnected) return;
    const isNew = this.#session === undefined || this.#session.isOver;
    if (isNew) this.#openSession();
    this.#isConnected = true;
    this.#connection++;
    this.#wayMs = 4 + this.#random.next() * 50;
    const openTurns = [...this.#turns]
      .filter(([, seen]) => !seen.isDone)
      .map(([turnId, seen]) => ({ turnId, seq: seen.nextSeq - 1 }));
    // Questions asked after hello are not among them, though welcome has yet to come.
    this.#told = openTurns.map(({ turnId }) => turnId);
    const more: Partial<HelloMessage> = { inputSources: this.#sources, consent: this.#consent };
    if (!isNew) this.#world.tallies.resumes++;
    this.#feed({
      type: "attach",
      hello: helloMessage(isNew ? more : { ...more, resumeToken: "token", openTurns }),
    });
    if (isNew) this.#tellRoom();
  }

  #openSession(): void {
    this.#world.tallies.sessions++;
    for (const [turnId, seen] of this.#turns) {
      // Turns of a session that is gone are lost, and the client knows it.
      if (!seen.isDone) this.#world.tallies.lost++;
      this.#turns.delete(turnId);
    }
    this.#requests.clear();
    this.#epoch = 0;
    this.#session = new XRSession({
      sessionId: `${this.#name}-${++this.#sessionCount}`,
      resumeToken: "token",
      principal: { tenantId: "t", userId: this.#name, scopes: ["session"], via: "open" },
      startedMs: this.#world.queue.nowMs,
      limits: SESSION_LIMITS,
      consentMax: FULL_CONSENT,
      model: "auto",
    });
  }

  #tellRoom(): void {
    if (this.#consent.room === "none") return;
    this.#send({ type: "scene.update", frame: "local-floor", add: this.#nodes, update: [], remove: [] });
  }

  #ask(): void {
    if (!this.#isConnected) return;
    const turnId = `t${++this.#turnCount}`;
    this.#turns.set(turnId, { nextSeq: 0, isDone: false });
    this.#world.tallies.asks++;
    this.#send(askMessage(turnId, "what is that?"));
  }

  #cancel(): void {
    if (this.#isConnected) this.#send({ type: "cancel", turnId: `t${this.#turnCount}` });
  }

  #pose(): void {
    const session = this.#session;
    if (!this.#isConnected || session === undefined) return;
    const target = this.#nodes[this.#lookAt]!.pose.position;
    SENT.t = this.#clientMs();
    SENT.seq = this.#seq = (this.#seq + 1) & 0xffff;
    look(SENT.viewer, target);
    SENT.sourceCount = 2;
    for (let index = 0; index < 2; index++) {
      const source = SENT.sources[index]!;
      source.id = index + 1;
      source.hasTargetRay = true;
      look(source.targetRay, target);
      source.hasHand = this.#hands;
      source.buttonCount = 2;
      source.jointOrientations[3] = 1;
      for (let joint = 0; this.#hands && joint < 25; joint++) {
        source.joints[joint * 3] = 0.2 + joint * 0.004;
        source.joints[joint * 3 + 1] = 1.2;
        source.joints[joint * 3 + 2] = -0.3 - (joint % 5) * 0.03;
      }
    }
    const size = encodePosePacket(SENT, this.#table, BYTES);
    if (typeof size !== "number") throw new Error(size.message);
    const error = decodePosePacket(BYTES.subarray(0, size), session.sourceTable, SAMPLE);
    if (error !== undefined) this.#world.violations.push(`${this.#name}: ${error.field} ${error.message}`);
    this.#world.tallies.poses++;
    this.#feed({ type: "pose", sample: SAMPLE });
  }

  #send(message: Extract<SessionInput, { type: "message" }>["message"]): void {
    this.#feed({ type: "message", message });
  }

  #feed(input: SessionInput): void {
    const session = this.#session;
    if (session === undefined) return;
    const outputs = session.handle(input, this.#world.queue.nowMs);
    for (let index = 0; index < outputs.length; index++) this.#perform(session, outputs[index]!);
    if (session.wakeAtMs < this.#armedMs) this.#arm(session);
  }

  #perform(session: XRSession, output: SessionOutput): void {
    switch (output.type) {
      case "send":
        return this.#transmit(output.message);
      case "turn-ready": {
        const { turn } = output;
        this.#requests.set(turn.turnId, turn.request.requestId);
        if (turn.request.context.attention.length > 0) this.#world.tallies.grounded++;
        this.#world.answers.start(turn, (input) => {
          if (session === this.#session) this.#feed(input);
        });
        return;
      }
      case "cancel-turn":
        return this.#world.answers.abort(output.turnId, this.#requests.get(output.turnId));
      case "close":
        this.#world.trace(`${this.#name} close ${output.code}`);
        if (this.#isConnected) {
          this.#isConnected = false;
          this.#connection++;
          this.#later(1_000, () => this.#connect());
        }
        return;
      default:
        return;
    }
  }

  #transmit(message: ServerMessage): void {
    if (!this.#isConnected) return;
    const connection = this.#connection;
    this.#world.queue.in(this.#wayMs, () => {
      // What was on its way when the network went is gone.
      if (connection === this.#connection) this.#receive(message);
    });
  }

  // oxlint-disable-next-line complexity -- Everything a strict client checks.
  #receive(message: ServerMessage): void {
    const { violations, tallies, trace } = this.#world;
    if (message.type === "ping") {
      const connection = this.#connection;
      const t = this.#clientMs();
      this.#world.queue.in(this.#wayMs, () => {
        if (connection === this.#connection) this.#send({ type: "pong", id: message.id, t1: t, t2: t });
      });
      return;
    }
    if (message.type === "clock") return;
    trace(`${this.#name} ${Math.round(this.#world.queue.nowMs)} ${message.type}`);
    if (message.type === "welcome" || message.type === "flush") {
      if (message.epoch < this.#epoch) violations.push(`${this.#name}: epoch fell to ${message.epoch}`);
      this.#epoch = message.epoch;
      if (message.type === "welcome" && message.resumed) {
        for (const turnId of this.#told) {
          if (!message.turns.includes(turnId)) violations.push(`${this.#name}: ${turnId} was not resumed`);
        }
      }
      return;
    }
    if (message.type === "scene.request" && this.#consent.room !== "none") this.#tellRoom();
    if (!("seq" in message)) return;
    const seen = this.#turns.get(message.turnId);
    if (seen === undefined) return;
    if (seen.isDone) violations.push(`${this.#name}: ${message.turnId} went on after its end`);
    if (message.seq !== seen.nextSeq)
      violations.push(`${this.#name}: ${message.turnId} part ${message.seq}, not ${seen.nextSeq}`);
    if (message.epoch < this.#epoch)
      violations.push(`${this.#name}: ${message.turnId} of epoch ${message.epoch} in ${this.#epoch}`);
    seen.nextSeq = message.seq + 1;
    if (message.type === "action") {
      this.#send({
        type: "receipt",
        turnId: message.turnId,
        seq: message.seq,
        delivered: true,
        via: "visual",
        t: this.#clientMs(),
      });
    }
    if (message.type !== "done") return;
    seen.isDone = true;
    tallies.dones++;
    trace(`${message.turnId} ${message.outcome} ${message.seq}`);
    for (const id of this.#turns.keys()) {
      if (this.#turns.size <= 20) break;
      if (this.#turns.get(id)?.isDone === true) this.#turns.delete(id);
    }
  }

  #arm(session: XRSession): void {
    const dueMs = session.wakeAtMs;
    this.#armedMs = dueMs;
    if (dueMs === Infinity) return;
    this.#world.queue.at(dueMs, () => {
      if (this.#armedMs !== dueMs) return;
      this.#armedMs = Infinity;
      if (session !== this.#session) return;
      if (session.wakeAtMs <= this.#world.queue.nowMs) this.#feed({ type: "tick" });
      else this.#arm(session);
    });
  }

  #clientMs(): number {
    return this.#world.queue.nowMs * (1 + 30e-6) + this.#offsetMs;
  }

  #later(meanMs: number, run: () => void): void {
    this.#world.queue.in(meanMs * (0.4 + this.#random.next() * 1.2), run);
  }

  #place(): readonly [number, number, number] {
    const { next } = { next: () => this.#random.next() };
    return [(next() - 0.5) * 6, next() * 2, -1 - next() * 4];
  }

  #furniture(index: number): SceneNode {
    const label = this.#random.pick(["table", "chair", "lamp", "plant", "screen", "shelf"] as const);
    return sceneNode(`${label}-${index}`, this.#place(), { semanticLabel: label }, 0.1 + this.#random.next() * 0.6);
  }
}

/** At eye height in the middle of the room, -Z toward the point. */
function look(pose: Float32Array, [x, y, z]: readonly [number, number, number]): void {
  const dy = y - 1.6;
  const yaw = Math.atan2(-x, -z);
  const pitch = Math.atan2(dy, Math.hypot(x, z));
  const [sy, cy, sp, cp] = [Math.sin(yaw / 2), Math.cos(yaw / 2), Math.sin(pitch / 2), Math.cos(pitch / 2)];
  pose[0] = 0;
  pose[1] = 1.6;
  pose[2] = 0;
  pose[3] = cy * sp;
  pose[4] = sy * cp;
  pose[5] = -sy * sp;
  pose[6] = cy * cp;
}
