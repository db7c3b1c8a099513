// What "that" meant when it was said. A spoken question reaches the gateway a second after its words: by then the user may
// look elsewhere. The words carry their times, the session remembers where head and hands pointed, so each word that points
// is bound to what was pointed at around its own time.
import type { ContextBuilder } from "../context/context-builder.ts";
import type { DeixisCandidate, DeixisSample } from "../context/deixis.ts";
import { resolveDeixis } from "../context/deixis.ts";
import { findDeicticWords } from "../context/deixis-words.ts";
import type { PoseTrack } from "../context/pose-track.ts";
import { rotate } from "../geometry/quat.ts";
import type { AttentionTarget, XRContext } from "../model/xr-context.ts";
import type { TimedText } from "../providers/capabilities.ts";

export interface SpokenWords {
  /** Session clock. */
  readonly words: readonly TimedText[];
  readonly text: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface BoundWords {
  readonly context: XRContext;
  /** One line a word, for models that read. */
  readonly references: readonly string[];
  /** What each pointing word was bound to, in order. */
  readonly bound: readonly { readonly word: string; readonly entityId: string; readonly atMs: number }[];
}

/** People point up to a second and a half before the word. */
const LOOK_BACK_MS = 1_500;
const SAMPLE_EVERY_MS = 33;
/** Below this the binding is a guess that the present attention makes better. */
const CONFIDENT = 0.35;
const HEAD_SIGMA_RAD = 0.07;
const HAND_SIGMA_RAD = 0.05;

export function bindSpokenWords(builder: ContextBuilder, context: XRContext, spoken: SpokenWords): BoundWords {
  const unbound: BoundWords = { context, references: [], bound: [] };
  if (!context.viewer.isTracked || context.scene.entities.length === 0) return unbound;
  const labels = new Set(context.scene.entities.map(({ semanticLabel }) => semanticLabel));
  const words = spoken.words.length > 0 ? spoken.words : spoken.text.split(/\s+/).map((text) => ({ text }));
  const deictic = findDeicticWords(words, { startMs: spoken.fromMs, endMs: spoken.untilMs }, labels);
  const candidates = candidatesOf(context);
  const found: { word: string; entityId: string; atMs: number; target: AttentionTarget }[] = [];
  const isPair = deictic.filter(({ kind }) => kind !== "size").length > 1;
  for (const { text, kind, label, wordMs } of deictic) {
    if (kind === "size") continue;
    const pointer = pointerAt(builder, context, wordMs);
    if (pointer.samples.length === 0) continue;
    const answer = resolveDeixis({
      candidates,
      origin: context.viewer.pose.position,
      samples: pointer.samples,
      wordMs,
      sigmaRad: pointer.source === "head-gaze" ? HEAD_SIGMA_RAD : HAND_SIGMA_RAD,
      ...(label === undefined ? {} : { label }),
    });
    if (answer.id === undefined || answer.confidence < CONFIDENT) continue;
    found.push({
      word: text,
      entityId: answer.id,
      atMs: answer.atMs,
      // One word for a thing and one for a place ("put that there") must not be taken for each other.
      target: {
        ...targetOf(answer, pointer.source, context),
        ...(isPair ? { saidAs: kind } : {}),
      },
    });
  }
  const [first] = found;
  if (first === undefined) return unbound;
  const rest = context.attention.filter(({ source }) => source === "head-gaze" && source !== first.target.source);
  const place = found.find(({ target }) => target.saidAs === "place" && target !== first.target)?.target;
  return {
    context: { ...context, attention: [first.target, ...(place === undefined ? [] : [place]), ...rest] },
    references: [referenceLine(found, context)],
    bound: found.map(({ word, entityId, atMs }) => ({ word, entityId, atMs })),
  };
}

function candidatesOf({ scene }: XRContext): readonly DeixisCandidate[] {
  return scene.entities.map(({ id, semanticLabel, pose, bounds }) => {
    const { min, max } = bounds;
    const middle = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2] as const;
    const [x, y, z] = rotate(pose.orientation, middle);
    return {
      id,
      label: semanticLabel,
      center: [pose.position[0] + x, pose.position[1] + y, pose.position[2] + z],
      size: [max[0] - min[0], max[1] - min[1], max[2] - min[2]],
      orientation: pose.orientation,
    };
  });
}

interface Pointer {
  readonly source: "pointing" | "transient-pointer" | "head-gaze";
  readonly samples: readonly DeixisSample[];
}

/** A hand that points or a controller held out says more than the head. */
function pointerAt(builder: ContextBuilder, context: XRContext, wordMs: number): Pointer {
  const wasPointing = context.attentionHistory.find(
    ({ fromMs, toMs, target }) =>
      (target.source === "pointing" || target.source === "transient-pointer") &&
      fromMs <= wordMs &&
      toMs >= wordMs - LOOK_BACK_MS,
  )?.target;
  if (wasPointing?.source === "pointing" || wasPointing?.source === "transient-pointer") {
    for (const [id, { description }] of builder.sources) {
      if (wasPointing.handedness !== undefined && description.handedness !== wasPointing.handedness) continue;
      const track = builder.window.find(id);
      const samples = track === undefined ? [] : samplesOf(track, wordMs);
      if (samples.length > 0) return { source: wasPointing.source, samples };
    }
  }
  return { source: "head-gaze", samples: samplesOf(builder.window.viewer, wordMs) };
}

function samplesOf(track: PoseTrack, wordMs: number): readonly DeixisSample[] {
  const pose = new Float64Array(7);
  const samples: DeixisSample[] = [];
  for (let tMs = wordMs - LOOK_BACK_MS; tMs <= wordMs + 2 * SAMPLE_EVERY_MS; tMs += SAMPLE_EVERY_MS) {
    if (!track.sampleAt(tMs, pose, SAMPLE_EVERY_MS)) continue;
    const [px, py, pz, qx, qy, qz, qw] = pose as unknown as Numbers7;
    const [x, y, z] = rotate([qx, qy, qz, qw], [0, 0, -1]);
    samples.push({ tMs, origin: [px, py, pz], direction: [x, y, z] });
  }
  return samples;
}

type Numbers7 = readonly [number, number, number, number, number, number, number];

function targetOf(
  { id, confidence }: { readonly id: string | undefined; readonly confidence: number },
  source: Pointer["source"],
  { scene, viewer }: XRContext,
): AttentionTarget {
  const entityId = id ?? "";
  const position = scene.byId.get(entityId)?.pose.position ?? viewer.pose.position;
  const [x, y, z] = viewer.pose.position;
  const distanceM = Math.hypot(position[0] - x, position[1] - y, position[2] - z);
  return { entityId, source, angleRad: 0, distanceM, dwellMs: 0, isOccluded: false, confidence };
}

function referenceLine(
  found: readonly { readonly word: string; readonly entityId: string }[],
  { scene }: XRContext,
): string {
  const parts = found.map(
    ({ word, entityId }) => `"${word}" = ${entityId} (${scene.byId.get(entityId)?.semanticLabel ?? ""})`,
  );
  return `Where the user pointed or looked when these words were said, in the order of speaking: ${parts.join("; ")}.`;
}
