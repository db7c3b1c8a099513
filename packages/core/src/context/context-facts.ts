// What a model is told of the room: few facts instead of a dump. Two stages: every kind of thing is named first, then the
// things that matter for this turn are told in detail (attended, named in the question, near), as far as the budget goes.
// Ids are those of the scene and stay the same from turn to turn; every number has its unit.
import { boundsSize, distanceToBox, worldBounds } from "../geometry/bounds.ts";
import { transformPoint } from "../geometry/pose.ts";
import { rotateInverse, yawOf } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { labelFit, normalName } from "../language/nouns.ts";
import { tokenize } from "../language/tokens.ts";
import type { SceneChange, SceneEntity } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";

export interface FactsOptions {
  /** Upper bound; estimated at three characters a token, which is on the safe side for English and numbers. */
  readonly tokensMax: number;
  /** The question of this turn: things it names are told in detail. */
  readonly question?: string;
  /** Session time of the turn before; changes since then are told. Without it, those of the last minute. */
  readonly sinceMs?: number;
}

const CHARACTERS_PER_TOKEN = 3;
const RECENT_MS = 60_000;
const CHANGES_MAX = 8;
/** Beyond this many things, distances are not computed for all: the facts must cost less than a millisecond. */
const MEASURED_MAX = 2_000;

/** Undefined when nothing is known that a model could use. */
export function buildContextFacts(context: XRContext, options: FactsOptions): string | undefined {
  const { scene, viewer } = context;
  if (scene.entities.length === 0 && !viewer.isTracked) return undefined;
  const lines = new BudgetedLines(options.tokensMax * CHARACTERS_PER_TOKEN);
  lines.add(
    `Room: ${scene.entities.length} entities. Distances are in metres from the user to the nearest surface; 12 o'clock is straight ahead of the user.`,
  );
  for (const line of attentionLines(context)) lines.add(line);
  for (const line of changeLines(context, options.sinceMs)) lines.add(line);
  const kinds = kindsOf(scene.entities, options.question);
  lines.add(`Kinds: ${kindsText(kinds)}`);
  lines.add("Entities (id: label, distance, direction, width x height x depth):");
  const ranking = new Ranking(context, kinds);
  for (let at = ranking.next(); at !== undefined; at = ranking.next()) {
    const entity = scene.entities[at] as SceneEntity;
    if (!lines.add(`- ${entity.id}: ${detailText(context, entity, ranking.distancesM[at] as number)}`)) break;
  }
  return lines.text;
}

/** The form in which the engine asks for facts. */
export function contextFacts(context: XRContext, tokensMax: number, question = ""): string | undefined {
  return buildContextFacts(context, { tokensMax, question });
}

/** Lines as long as the budget lasts; a line that does not fit is left out whole. */
class BudgetedLines {
  readonly #lines: string[] = [];
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  add(line: string): boolean {
    if (line.length + 1 > this.#left) return false;
    this.#left -= line.length + 1;
    this.#lines.push(line);
    return true;
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}

function attentionLines(context: XRContext): readonly string[] {
  const lines: string[] = [];
  for (const target of context.attention.slice(0, 3)) {
    const entity = context.scene.byId.get(target.entityId);
    if (entity === undefined || target.isOccluded) continue;
    const how = {
      "head-gaze": "faces",
      "eye-gaze": "looks at",
      pointing: "points at",
      touch: "touches",
      "transient-pointer": "selects",
    }[target.source];
    lines.push(
      `The user ${how} ${entity.id} (${entity.semanticLabel}), ${metres(target.distanceM)} away, for ${seconds(target.dwellMs)}.`,
    );
  }
  return lines;
}

function changeLines(context: XRContext, sinceMs: number | undefined): readonly string[] {
  const since = sinceMs ?? context.atMs - RECENT_MS;
  const changes = context.scene.changes.filter((change) => change.atMs > since).slice(-CHANGES_MAX);
  if (changes.length === 0) return [];
  return [`Changed since the last turn: ${changes.map((change) => changeText(change, context.atMs)).join("; ")}.`];
}

function changeText(change: SceneChange, nowMs: number): string {
  const { from, to } = change;
  const by =
    change.change === "moved" && from !== undefined && to !== undefined
      ? ` by ${metres(Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]))}`
      : "";
  return `${change.entityId} (${change.label}) ${change.change}${by} ${seconds(nowMs - change.atMs)} ago`;
}

function kindsText(kinds: ReadonlyMap<string, Kind>): string {
  return [...kinds.values()]
    .sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1))
    .map(({ label, count }) => (count === 1 ? label : `${count} ${label}`))
    .join(", ");
}

/** What one kind of thing has in common, worked out once for all of its entities. */
interface Kind {
  readonly label: string;
  count: number;
  /** Added to the distance: what the question names comes early, walls and floors late. */
  readonly rank: number;
}

const STRUCTURE_RANK = 20;
const ASKED_RANK = -500;
const ATTENDED_RANK = -1_000;

function kindsOf(entities: readonly SceneEntity[], question: string | undefined): ReadonlyMap<string, Kind> {
  const names = question === undefined ? [] : namesIn(question);
  const kinds = new Map<string, Kind>();
  for (const { semanticLabel: label } of entities) {
    const known = kinds.get(label);
    if (known === undefined) kinds.set(label, { label, count: 1, rank: rankOf(label, names) });
    else known.count += 1;
  }
  return kinds;
}

function rankOf(label: string, names: readonly string[]): number {
  const structure = /^(?:wall|floor|ceiling)/.test(label) ? STRUCTURE_RANK : 0;
  if (names.length === 0) return structure;
  const normal = normalName(label);
  return names.some((name) => labelFit(name, normal) >= 2) ? structure + ASKED_RANK : structure;
}

/**
 * Entities for the second stage, the ones that matter first. Only as many are put in order as are read: the budget ends
 * the list long before a large room does.
 */
class Ranking {
  readonly distancesM: Float64Array;
  readonly #ranks: Float64Array;
  readonly #heap: Int32Array;
  readonly #entities: readonly SceneEntity[];
  #size: number;

  constructor(context: XRContext, kinds: ReadonlyMap<string, Kind>) {
    const { scene, viewer } = context;
    this.#entities = scene.entities;
    this.#size = Math.min(scene.entities.length, MEASURED_MAX);
    this.distancesM = new Float64Array(this.#size);
    this.#ranks = new Float64Array(this.#size);
    this.#heap = new Int32Array(this.#size);
    const attended = new Set(context.attention.map((target) => target.entityId));
    for (let i = 0; i < this.#size; i++) {
      const { id, semanticLabel, pose, bounds } = this.#entities[i] as SceneEntity;
      const distanceM = viewer.isTracked ? distanceToBox(pose, bounds, viewer.pose.position) : 0;
      this.distancesM[i] = distanceM;
      this.#ranks[i] =
        distanceM + (kinds.get(semanticLabel)?.rank ?? 0) + (attended.size > 0 && attended.has(id) ? ATTENDED_RANK : 0);
      this.#heap[i] = i;
    }
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** Place of the next entity in the scene, or undefined after the last. */
  next(): number | undefined {
    if (this.#size === 0) return undefined;
    const first = this.#heap[0] as number;
    this.#size -= 1;
    this.#heap[0] = this.#heap[this.#size] as number;
    this.#sink(0);
    return first;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const moved = heap[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child += 1;
      if (!this.#isBefore(heap[child] as number, moved)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moved;
  }

  #isBefore(a: number, b: number): boolean {
    const gap = (this.#ranks[a] as number) - (this.#ranks[b] as number);
    return gap < 0 || (gap === 0 && (this.#entities[a] as SceneEntity).id < (this.#entities[b] as SceneEntity).id);
  }
}

/** Runs of one to three words: whatever could be a name. */
function namesIn(question: string): readonly string[] {
  const tokens = tokenize(question).filter((token) => token.length > 2);
  const names: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    for (let length = 1; length <= 3 && at + length <= tokens.length; length++)
      names.push(normalName(tokens.slice(at, at + length).join(" ")));
  }
  return names;
}

function detailText(context: XRContext, entity: SceneEntity, distanceM: number): string {
  const parts = [entity.name === undefined ? entity.semanticLabel : `${entity.semanticLabel} "${entity.name}"`];
  if (context.viewer.isTracked) {
    parts.push(metres(distanceM), directionText(context, entity));
  }
  const [width, height, depth] = boundsSize(
    worldBounds({ position: [0, 0, 0], orientation: uprightOf(entity) }, entity.bounds),
  );
  parts.push(`${width.toFixed(2)} x ${height.toFixed(2)} x ${depth.toFixed(2)} m`);
  if (entity.affordances.length > 0) parts.push(`can be: ${entity.affordances.slice(0, 4).join(" ")}`);
  return parts.join(", ");
}

/** The orientation without its yaw: sizes are told along the thing's own sides, with height upright. */
function uprightOf(entity: SceneEntity): SceneEntity["pose"]["orientation"] {
  const yaw = yawOf(entity.pose.orientation);
  const [x, y, z, w] = entity.pose.orientation;
  const sine = Math.sin(-yaw / 2);
  const cosine = Math.cos(-yaw / 2);
  return [cosine * x + sine * z, cosine * y + sine * w, cosine * z - sine * x, cosine * w - sine * y];
}

function directionText(context: XRContext, entity: SceneEntity): string {
  const { min, max } = entity.bounds;
  const middle: Vec3 = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
  const center = transformPoint(entity.pose, middle);
  const { pose } = context.viewer;
  const yaw = yawOf(pose.orientation);
  const [x, , z] = rotateInverse(
    [0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)],
    [center[0] - pose.position[0], 0, center[2] - pose.position[2]],
  );
  const hour = (Math.round((Math.atan2(x, -z) * 6) / Math.PI) + 12) % 12;
  return `${hour === 0 ? 12 : hour} o'clock`;
}

function metres(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} m`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
