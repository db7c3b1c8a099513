import {
  BUDGET_OWNERS,
  HAPTIC_HANDS,
  HAPTIC_WAYS,
  HIGHLIGHT_STYLES,
  OUTCOMES,
  TURN_STATES,
} from "./server-messages.ts";
import type {
  AudioPart,
  Cue,
  DonePart,
  DuckFields,
  ErrorMessage,
  HapticPart,
  PartHeader,
  ServerMessage,
  SeenNode,
  ServerMessageType,
  WelcomeMessage,
  WireAction,
  WireBudget,
} from "./server-messages.ts";
import type { FieldReader, Fields } from "./field-reader.ts";
import { own, present } from "./field-reader.ts";
import { LIMITS } from "./limits.ts";
import { PROTOCOL_VERSION } from "./version.ts";
import { readBounds, readConsent } from "./wire-fields.ts";

type ParserTable = Readonly<{
  [T in ServerMessageType]: (reader: FieldReader, fields: Fields) => Extract<ServerMessage, { type: T }>;
}>;

const COUNT_MAX = Number.MAX_SAFE_INTEGER;
const MS_MAX = 86_400_000;
/** The longest period of a budget: whoever has used it up waits for its end. */
const PERIOD_MS_MAX = 366 * MS_MAX;

/** One reader for each message type: a type without one does not compile. */
export const SERVER_PARSERS: ParserTable = {
  welcome: readWelcome,
  ping: (reader, fields) =>
    present({
      type: "ping" as const,
      id: reader.integer(fields, "id", 0, COUNT_MAX),
      ack: reader.optional(fields, "ack", (from, key) => reader.integer(from, key, 0, COUNT_MAX)),
    }),
  clock: (reader, fields) => ({
    type: "clock",
    offset: reader.number(fields, "offset", -1e14, 1e14),
    rtt: reader.number(fields, "rtt", 0, MS_MAX),
    skewPpm: reader.number(fields, "skewPpm", -1e6, 1e6),
  }),
  start: (reader, fields) =>
    present({
      type: "start" as const,
      ...readHeader(reader, fields),
      model: reader.string(fields, "model"),
      reason: readOptionalText(reader, fields, "reason"),
      captions: reader.optional(fields, "captions", (from, key) => reader.boolean(from, key)),
    }),
  "text.delta": (reader, fields) => ({
    type: "text.delta",
    ...readHeader(reader, fields),
    text: reader.string(fields, "text", LIMITS.partCharactersMax),
  }),
  audio: readAudio,
  words: (reader, fields) => ({
    type: "words",
    ...readHeader(reader, fields),
    itemId: reader.id(fields, "itemId"),
    words: reader.objects(fields, "words", LIMITS.wordsMax, (word) => ({
      text: reader.string(word, "text"),
      startMs: reader.number(word, "startMs", 0, MS_MAX),
      endMs: reader.number(word, "endMs", 0, MS_MAX),
    })),
  }),
  action: (reader, fields) =>
    present({
      type: "action" as const,
      ...readHeader(reader, fields),
      action: reader.object(fields, "action", (action) => readAction(reader, action)),
      cue: readCue(reader, fields),
    }),
  haptic: readHaptic,
  "tool.call": (reader, fields) => ({
    type: "tool.call",
    ...readHeader(reader, fields),
    callId: reader.id(fields, "callId"),
    name: reader.id(fields, "name"),
    args: reader.jsonObject(fields, "args"),
  }),
  transcript: (reader, fields) =>
    present({
      type: "transcript" as const,
      turnId: readOptionalId(reader, fields, "turnId"),
      text: reader.string(fields, "text", LIMITS.partCharactersMax),
      isFinal: reader.boolean(fields, "isFinal"),
      speaker: readOptionalId(reader, fields, "speaker"),
    }),
  asset: (reader, fields) => ({
    type: "asset",
    ...readHeader(reader, fields),
    id: reader.id(fields, "id"),
    mime: reader.string(fields, "mime", LIMITS.labelCharactersMax),
    levels: reader.objects(fields, "levels", LIMITS.levelsMax, (level) => ({
      url: reader.string(level, "url", LIMITS.textCharactersMax),
      errorM: reader.number(level, "errorM", 0, LIMITS.positionMaxM),
      sizeBytes: reader.integer(level, "sizeBytes", 0, COUNT_MAX),
    })),
  }),
  replaced: (reader, fields) => ({
    type: "replaced",
    ...readHeader(reader, fields),
    fromUnit: reader.integer(fields, "fromUnit", 0, COUNT_MAX),
    text: reader.string(fields, "text", LIMITS.partCharactersMax),
  }),
  resumed: (reader, fields) => ({
    type: "resumed",
    ...readHeader(reader, fields),
    fromUnit: reader.integer(fields, "fromUnit", 0, COUNT_MAX),
    model: reader.string(fields, "model"),
  }),
  degraded: (reader, fields) =>
    present({
      type: "degraded" as const,
      turnId: readOptionalId(reader, fields, "turnId"),
      from: reader.string(fields, "from"),
      to: reader.string(fields, "to"),
      reason: reader.string(fields, "reason", LIMITS.textCharactersMax),
    }),
  flush: (reader, fields) => ({ type: "flush", epoch: reader.integer(fields, "epoch", 0, COUNT_MAX) }),
  duck: (reader, fields) => ({ type: "duck", ...readDuck(reader, fields) }),
  unduck: (reader, fields) => ({ type: "unduck", ...readDuck(reader, fields) }),
  filler: (reader, fields) => ({
    type: "filler",
    turnId: reader.id(fields, "turnId"),
    epoch: reader.integer(fields, "epoch", 0, COUNT_MAX),
  }),
  "turn.state": (reader, fields) =>
    present({
      type: "turn.state" as const,
      turnId: readOptionalId(reader, fields, "turnId"),
      state: reader.oneOf(fields, "state", TURN_STATES),
    }),
  rates: (reader, fields) =>
    present({
      type: "rates" as const,
      poseHz: reader.number(fields, "poseHz", 0, LIMITS.poseHzMax),
      imageHz: reader.optional(fields, "imageHz", (from, key) => reader.number(from, key, 0, LIMITS.imageHzMax)),
      imageWidth: reader.optional(fields, "imageWidth", (from, key) => reader.integer(from, key, 1, 65_535)),
      reason: reader.optional(fields, "reason", (from, key) => reader.string(from, key, LIMITS.nameCharactersMax)),
    }),
  "scene.seen": (reader, fields) =>
    present({
      type: "scene.seen" as const,
      full: reader.optional(fields, "full", (from, key) => reader.boolean(from, key)),
      add: reader.objects(fields, "add", LIMITS.seenThingsMax, (node) => readSeen(reader, node)),
      remove: reader.strings(fields, "remove", LIMITS.seenThingsMax, LIMITS.idCharactersMax),
    }),
  "scene.request": (reader, fields) => ({
    type: "scene.request",
    reason: reader.string(fields, "reason", LIMITS.textCharactersMax),
  }),
  levels: (reader, fields) => ({
    type: "levels",
    levels: reader.object(fields, "levels", (levels) => readConsent(reader, levels)),
  }),
  limits: (reader, fields) => ({
    type: "limits",
    budgets: reader.objects(fields, "budgets", LIMITS.budgetsMax, (budget) => readBudget(reader, budget)),
  }),
  error: readError,
  done: readDone,
};

function readHeader(reader: FieldReader, fields: Fields): PartHeader {
  return {
    turnId: reader.id(fields, "turnId"),
    seq: reader.integer(fields, "seq", 0, COUNT_MAX),
    epoch: reader.integer(fields, "epoch", 0, COUNT_MAX),
    provider: reader.string(fields, "provider"),
    cached: reader.boolean(fields, "cached"),
  };
}

function readWelcome(reader: FieldReader, fields: Fields): WelcomeMessage {
  const protocol = reader.integer(fields, "protocol", 0, 65_535);
  if (protocol !== PROTOCOL_VERSION)
    reader.fail("version_unsupported", "protocol", `this peer speaks version ${PROTOCOL_VERSION}, not ${protocol}`);
  const limit = (limits: Fields, key: string): number => reader.integer(limits, key, 0, COUNT_MAX);
  return present({
    type: "welcome" as const,
    protocol,
    sessionId: reader.id(fields, "sessionId"),
    poseHz: reader.number(fields, "poseHz", 0, LIMITS.poseHzMax),
    imageHz: reader.optional(fields, "imageHz", (from, key) => reader.number(from, key, 0, LIMITS.imageHzMax)),
    levels: reader.object(fields, "levels", (levels) => readConsent(reader, levels)),
    resumeToken: reader.string(fields, "resumeToken", LIMITS.tokenCharactersMax),
    limits: reader.object(fields, "limits", (limits) => ({
      controlCharactersMax: limit(limits, "controlCharactersMax"),
      sceneEntitiesMax: limit(limits, "sceneEntitiesMax"),
      controlMessagesPerSecondMax: limit(limits, "controlMessagesPerSecondMax"),
      asksPerSecondMax: limit(limits, "asksPerSecondMax"),
      openTurnsMax: limit(limits, "openTurnsMax"),
      imagePayloadBytesMax: limit(limits, "imagePayloadBytesMax"),
    })),
    resumed: reader.boolean(fields, "resumed"),
    turns: reader.strings(fields, "turns", LIMITS.openTurnsMax, LIMITS.idCharactersMax),
    ack: reader.optional(fields, "ack", (from, key) => reader.integer(from, key, 0, COUNT_MAX)),
    epoch: reader.integer(fields, "epoch", 0, COUNT_MAX),
  });
}

function readAudio(reader: FieldReader, fields: Fields): AudioPart {
  return present({
    type: "audio" as const,
    ...readHeader(reader, fields),
    streamId: reader.integer(fields, "streamId", 0, 0xffff),
    codec: reader.oneOf(fields, "codec", ["pcm16-16k", "pcm16-24k", "opus"]),
    itemId: readOptionalId(reader, fields, "itemId"),
    at: reader.optional(fields, "at", (from, key) =>
      typeof own(from, key) === "string" ? reader.id(from, key) : reader.vec3(from, key),
    ),
    gainDb: reader.number(fields, "gainDb", -120, 24),
    occlusion: reader.optional(fields, "occlusion", (from, key) => reader.number(from, key, 0, 1)),
  });
}

function readCue(reader: FieldReader, fields: Fields): Cue | undefined {
  return reader.optional(fields, "cue", (from, key) =>
    reader.object(from, key, (cue) => ({
      itemId: reader.id(cue, "itemId"),
      atMs: reader.number(cue, "atMs", 0, MS_MAX),
    })),
  );
}

function readAction(reader: FieldReader, fields: Fields): WireAction {
  const kinds = ["highlight", "label", "point", "place", "move", "navigate", "ui"] as const;
  const kind = reader.oneOf(fields, "kind", kinds);
  switch (kind) {
    case "highlight": {
      const action = present({
        kind,
        target: readOptionalId(reader, fields, "target"),
        position: reader.optional(fields, "position", (from, key) => reader.vec3(from, key)),
        radiusM: reader.optional(fields, "radiusM", (from, key) => reader.number(from, key, 0, LIMITS.positionMaxM)),
        style: reader.oneOf(fields, "style", HIGHLIGHT_STYLES),
        ttlMs: reader.number(fields, "ttlMs", 0, MS_MAX),
      });
      if (action.target === undefined && action.position === undefined)
        reader.fail("missing", "target", "expected a target or a position");
      return action;
    }
    case "label":
      return { kind, target: reader.id(fields, "target"), text: reader.string(fields, "text") };
    case "point":
      return { kind, target: reader.id(fields, "target") };
    case "place":
      return {
        kind,
        asset: reader.string(fields, "asset", LIMITS.textCharactersMax),
        pose: reader.pose(fields, "pose"),
      };
    case "move":
      return { kind, target: reader.id(fields, "target"), pose: reader.pose(fields, "pose") };
    case "navigate":
      return present({
        kind,
        target: readOptionalId(reader, fields, "target"),
        path: reader.list(fields, "path", LIMITS.pathPointsMax, (from, key) => reader.vec3(from, key)),
      });
    case "ui":
      return { kind, name: reader.id(fields, "name"), data: reader.jsonObject(fields, "data") };
  }
}

function readSeen(reader: FieldReader, fields: Fields): SeenNode {
  return present({
    id: reader.id(fields, "id"),
    semanticLabel: reader.string(fields, "semanticLabel", LIMITS.labelCharactersMax),
    pose: reader.pose(fields, "pose"),
    bounds: reader.object(fields, "bounds", (bounds) => readBounds(reader, bounds)),
    confidence: reader.number(fields, "confidence", 0, 1),
    text: readOptionalText(reader, fields, "text"),
  });
}

function readHaptic(reader: FieldReader, fields: Fields): HapticPart {
  return present({
    type: "haptic" as const,
    ...readHeader(reader, fields),
    clip: typeof own(fields, "clip") === "string" ? reader.id(fields, "clip") : reader.jsonObject(fields, "clip"),
    name: readOptionalId(reader, fields, "name"),
    handedness: reader.oneOf(fields, "handedness", HAPTIC_HANDS),
    gain: reader.number(fields, "gain", 0, 1),
    fallbackPulses: reader.objects(fields, "fallbackPulses", LIMITS.hapticPulsesMax, (pulse) => ({
      value: reader.number(pulse, "value", 0, 1),
      duration: reader.number(pulse, "duration", 0, 60_000),
      at: reader.number(pulse, "at", 0, 600_000),
    })),
    cue: readCue(reader, fields),
    ways: reader.optional(fields, "ways", (from, key) =>
      reader.list(from, key, HAPTIC_WAYS.length, (list, index) => reader.oneOf(list, index, HAPTIC_WAYS)),
    ),
  });
}

function readDuck(reader: FieldReader, fields: Fields): DuckFields {
  return {
    epoch: reader.integer(fields, "epoch", 0, COUNT_MAX),
    gainDb: reader.number(fields, "gainDb", -120, 24),
    rampMs: reader.number(fields, "rampMs", 0, 60_000),
  };
}

function readError(reader: FieldReader, fields: Fields): ErrorMessage {
  return present({
    type: "error" as const,
    code: reader.id(fields, "code"),
    message: reader.string(fields, "message", LIMITS.textCharactersMax),
    fatal: reader.boolean(fields, "fatal"),
    turnId: readOptionalId(reader, fields, "turnId"),
    field: reader.optional(fields, "field", (from, key) => reader.string(from, key, LIMITS.textCharactersMax)),
    retryAfterMs: reader.optional(fields, "retryAfterMs", (from, key) => reader.number(from, key, 0, PERIOD_MS_MAX)),
    limit: reader.optional(fields, "limit", (from, key) => reader.string(from, key)),
  });
}

function readBudget(reader: FieldReader, fields: Fields): WireBudget {
  const amount = (key: string): number | undefined =>
    reader.optional(fields, key, (from, name) => reader.number(from, name, 0, COUNT_MAX));
  return present({
    name: reader.string(fields, "name"),
    of: reader.oneOf(fields, "of", BUDGET_OWNERS),
    resetMs: reader.number(fields, "resetMs", 0, PERIOD_MS_MAX),
    requests: amount("requests"),
    tokens: amount("tokens"),
    microUsd: amount("microUsd"),
  });
}

function readDone(reader: FieldReader, fields: Fields): DonePart {
  return present({
    type: "done" as const,
    ...readHeader(reader, fields),
    outcome: reader.oneOf(fields, "outcome", OUTCOMES),
    model: reader.string(fields, "model"),
    reason: reader.string(fields, "reason", LIMITS.textCharactersMax),
    latency: reader.object(fields, "latency", (latency) =>
      present({
        first: reader.optional(latency, "first", (from, key) => reader.number(from, key, 0, MS_MAX)),
        total: reader.number(latency, "total", 0, MS_MAX),
      }),
    ),
    steps: reader.objects(fields, "steps", LIMITS.stepsMax, (step) => ({
      name: reader.string(step, "name"),
      ms: reader.number(step, "ms", 0, MS_MAX),
    })),
    tokens: reader.object(fields, "tokens", (tokens) => ({
      input: reader.integer(tokens, "input", 0, COUNT_MAX),
      output: reader.integer(tokens, "output", 0, COUNT_MAX),
    })),
    cost: reader.object(fields, "cost", (cost) =>
      present({
        microUsd: reader.optional(cost, "microUsd", (from, key) => reader.number(from, key, 0, COUNT_MAX)),
        source: reader.string(cost, "source"),
      }),
    ),
    finishReason: readOptionalText(reader, fields, "finishReason"),
  });
}

function readOptionalId(reader: FieldReader, fields: Fields, key: string): string | undefined {
  return reader.optional(fields, key, (from, name) => reader.id(from, name));
}

function readOptionalText(reader: FieldReader, fields: Fields, key: string): string | undefined {
  return reader.optional(fields, key, (from, name) => reader.string(from, name, LIMITS.textCharactersMax));
}
