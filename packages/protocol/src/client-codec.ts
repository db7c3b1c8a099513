import type {
  AskMessage,
  ClientMessageBody,
  ClientMessageType,
  HelloMessage,
  ToolResultMessage,
} from "./client-messages.ts";
import {
  BLEND_MODES,
  GAZE_SOURCES,
  INCLUDES,
  INTERACTION_MODES,
  MODALITIES,
  PHASES,
  RECEIPT_VIAS,
  SESSION_MODES,
  VISIBILITIES,
} from "./client-messages.ts";
import type { PressFields, SessionDescription } from "./client-messages.ts";
import type { FieldReader, Fields } from "./field-reader.ts";
import { own, present } from "./field-reader.ts";
import { HANDEDNESSES } from "./input-source.ts";
import { LIMITS } from "./limits.ts";
import { readPoseMessage } from "./pose-json.ts";
import { PROTOCOL_VERSION } from "./version.ts";
import {
  readConsent,
  readInputSources,
  readOutputState,
  readPreferences,
  readSceneUpdate,
  readTime,
} from "./wire-fields.ts";

type ParserTable = Readonly<{
  [T in ClientMessageType]: (reader: FieldReader, fields: Fields) => Extract<ClientMessageBody, { type: T }>;
}>;

const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** One reader for each message type: a type without one does not compile. */
export const CLIENT_PARSERS: ParserTable = {
  hello: readHello,
  session: (reader, fields) =>
    present({
      type: "session" as const,
      session: reader.optional(fields, "session", (from, key) => readSession(reader, from, key)),
    }),
  inputs: (reader, fields) => {
    const seen = new Set<number>();
    return {
      type: "inputs",
      add: readInputSources(reader, fields, "add"),
      remove: reader.list(fields, "remove", 256, (from, key) => {
        const id = reader.integer(from, key, 0, 255);
        reader.distinct(seen, id, key);
        return id;
      }),
    };
  },
  pose: readPoseMessage,
  "scene.update": readSceneUpdate,
  gesture: (reader, fields) => ({
    type: "gesture",
    name: reader.id(fields, "name"),
    phase: reader.oneOf(fields, "phase", PHASES),
    handedness: reader.oneOf(fields, "handedness", HANDEDNESSES),
    confidence: reader.number(fields, "confidence", 0, 1),
    t: readTime(reader, fields, "t"),
  }),
  select: (reader, fields) => ({ type: "select", ...readPress(reader, fields) }),
  squeeze: (reader, fields) => ({ type: "squeeze", ...readPress(reader, fields) }),
  "gaze.target": (reader, fields) => ({
    type: "gaze.target",
    id: reader.id(fields, "id"),
    distance: reader.number(fields, "distance", 0, LIMITS.positionMaxM),
    dwellMs: reader.number(fields, "dwellMs", 0, 86_400_000),
    source: reader.oneOf(fields, "source", GAZE_SOURCES),
    t: readTime(reader, fields, "t"),
  }),
  marker: (reader, fields) =>
    present({
      type: "marker" as const,
      name: reader.id(fields, "name"),
      t: readTime(reader, fields, "t"),
      data: reader.optional(fields, "data", (from, key) => reader.json(from, key)),
    }),
  visibility: (reader, fields) => ({
    type: "visibility",
    state: reader.oneOf(fields, "state", VISIBILITIES),
    t: readTime(reader, fields, "t"),
  }),
  ask: readAsk,
  cancel: (reader, fields) => ({ type: "cancel", turnId: reader.id(fields, "turnId") }),
  tools: (reader, fields) => {
    const seen = new Set<string>();
    return {
      type: "tools",
      add: reader.objects(fields, "add", LIMITS.toolsMax, (tool) => {
        const name = reader.id(tool, "name");
        reader.distinct(seen, name, "name");
        return {
          name,
          description: reader.string(tool, "description", LIMITS.textCharactersMax),
          parameters: reader.jsonObject(tool, "parameters"),
        };
      }),
      remove: reader.strings(fields, "remove", LIMITS.toolsMax, LIMITS.idCharactersMax),
    };
  },
  "tool.result": readToolResult,
  playback: (reader, fields) =>
    present({
      type: "playback" as const,
      itemId: reader.id(fields, "itemId"),
      playedMs: reader.number(fields, "playedMs", 0, 86_400_000),
      bufferedMs: optionalNumber(reader, fields, "bufferedMs", 0, 86_400_000),
      outputLatencyMs: optionalNumber(reader, fields, "outputLatencyMs", 0, 60_000),
    }),
  receipt: (reader, fields) => ({
    type: "receipt",
    turnId: reader.id(fields, "turnId"),
    seq: reader.integer(fields, "seq", 0, SEQUENCE_MAX),
    delivered: reader.boolean(fields, "delivered"),
    via: reader.oneOf(fields, "via", RECEIPT_VIAS),
    t: readTime(reader, fields, "t"),
  }),
  consent: (reader, fields) => ({
    type: "consent",
    consent: reader.object(fields, "consent", (consent) => readConsent(reader, consent)),
  }),
  pong: (reader, fields) => ({
    type: "pong",
    id: reader.integer(fields, "id", 0, SEQUENCE_MAX),
    t1: readTime(reader, fields, "t1"),
    t2: readTime(reader, fields, "t2"),
  }),
  "mic.state": (reader, fields) =>
    present({
      type: "mic.state" as const,
      muted: reader.boolean(fields, "muted"),
      streamId: optionalInteger(reader, fields, "streamId", 0, 0xffff),
      echoCancellation: optionalBoolean(reader, fields, "echoCancellation"),
      noiseSuppression: optionalBoolean(reader, fields, "noiseSuppression"),
      autoGainControl: optionalBoolean(reader, fields, "autoGainControl"),
      headphones: optionalBoolean(reader, fields, "headphones"),
    }),
  preferences: (reader, fields) =>
    present({
      type: "preferences" as const,
      preferences: reader.optional(fields, "preferences", (from, key) => readPreferences(reader, from, key)),
      output: reader.optional(fields, "output", (from, key) => readOutputState(reader, from, key)),
    }),
  "push-to-talk": (reader, fields) => ({
    type: "push-to-talk",
    phase: reader.oneOf(fields, "phase", ["start", "end"]),
    t: readTime(reader, fields, "t"),
  }),
  stats: (reader, fields) =>
    present({
      type: "stats" as const,
      fps: optionalNumber(reader, fields, "fps", 0, 1_000),
      droppedSamples: optionalInteger(reader, fields, "droppedSamples", 0, SEQUENCE_MAX),
      batteryLevel: optionalNumber(reader, fields, "batteryLevel", 0, 1),
      t: readTime(reader, fields, "t"),
    }),
};

function readHello(reader: FieldReader, fields: Fields): HelloMessage {
  const protocol = reader.integer(fields, "protocol", 0, 65_535);
  // Said before anything else is looked at: the rest of another version's hello may mean something else.
  if (protocol !== PROTOCOL_VERSION)
    reader.fail("version_unsupported", "protocol", `this peer speaks version ${PROTOCOL_VERSION}, not ${protocol}`);
  return present({
    type: "hello" as const,
    protocol,
    client: reader.object(fields, "client", (client) => ({
      sdk: reader.string(client, "sdk"),
      ua: reader.string(client, "ua", LIMITS.userAgentCharactersMax),
      device: reader.string(client, "device"),
    })),
    session: reader.optional(fields, "session", (from, key) => readSession(reader, from, key)),
    inputSources: readInputSources(reader, fields, "inputSources"),
    consent: reader.object(fields, "consent", (consent) => readConsent(reader, consent)),
    locale: reader.string(fields, "locale", LIMITS.labelCharactersMax),
    preferences: reader.optional(fields, "preferences", (from, key) => readPreferences(reader, from, key)),
    room: reader.optional(fields, "room", (from, key) =>
      reader.object(from, key, (room) => ({ id: reader.id(room, "id"), name: reader.id(room, "name") })),
    ),
    token: optionalString(reader, fields, "token", LIMITS.tokenCharactersMax),
    resumeToken: optionalString(reader, fields, "resumeToken", LIMITS.tokenCharactersMax),
    openTurns: reader.optional(fields, "openTurns", (from, key) =>
      reader.objects(from, key, LIMITS.openTurnsMax, (turn) => ({
        turnId: reader.id(turn, "turnId"),
        seq: reader.integer(turn, "seq", -1, SEQUENCE_MAX),
      })),
    ),
  });
}

function readSession(reader: FieldReader, from: Fields, key: string): SessionDescription {
  return reader.object(from, key, (session) =>
    present({
      mode: reader.oneOf(session, "mode", SESSION_MODES),
      referenceSpace: reader.oneOf(session, "referenceSpace", ["local-floor"]),
      enabledFeatures: reader.strings(session, "enabledFeatures", LIMITS.featuresMax, LIMITS.labelCharactersMax),
      environmentBlendMode: reader.optional(session, "environmentBlendMode", (s, k) => reader.oneOf(s, k, BLEND_MODES)),
      interactionMode: reader.optional(session, "interactionMode", (s, k) => reader.oneOf(s, k, INTERACTION_MODES)),
      frameRate: optionalNumber(reader, session, "frameRate", 1, 1_000),
    }),
  );
}

function readPress(reader: FieldReader, fields: Fields): PressFields {
  return {
    inputSource: reader.integer(fields, "inputSource", 0, 255),
    phase: reader.oneOf(fields, "phase", PHASES),
    t: readTime(reader, fields, "t"),
  };
}

function readAsk(reader: FieldReader, fields: Fields): AskMessage {
  const ask = present({
    type: "ask" as const,
    turnId: reader.id(fields, "turnId"),
    text: optionalString(reader, fields, "text", LIMITS.textCharactersMax),
    audioStreamId: optionalInteger(reader, fields, "audioStreamId", 0, 0xffff),
    include: reader.list(fields, "include", LIMITS.includeMax, (from, key) => reader.oneOf(from, key, INCLUDES)),
    modalities: reader.list(fields, "modalities", LIMITS.modalitiesMax, (from, key) =>
      reader.oneOf(from, key, MODALITIES),
    ),
    latencyMs: optionalNumber(reader, fields, "latencyMs", 1, 600_000),
    t: reader.optional(fields, "t", (from, key) => readTime(reader, from, key)),
    model: optionalString(reader, fields, "model", LIMITS.nameCharactersMax),
    locale: optionalString(reader, fields, "locale", LIMITS.labelCharactersMax),
  });
  if (ask.text === undefined && ask.audioStreamId === undefined)
    reader.fail("missing", "text", "expected text or audioStreamId");
  if (ask.text === "") reader.fail("out_of_range", "text", "expected at least one character");
  return ask;
}

function readToolResult(reader: FieldReader, fields: Fields): ToolResultMessage {
  if (own(fields, "result") === undefined && own(fields, "error") === undefined)
    reader.fail("missing", "result", "expected result or error");
  return present({
    type: "tool.result" as const,
    turnId: reader.id(fields, "turnId"),
    callId: reader.id(fields, "callId"),
    result: reader.optional(fields, "result", (from, key) => reader.json(from, key)),
    error: optionalString(reader, fields, "error", LIMITS.textCharactersMax),
  });
}

function optionalString(reader: FieldReader, fields: Fields, key: string, max: number): string | undefined {
  return reader.optional(fields, key, (from, name) => reader.string(from, name, max));
}

function optionalBoolean(reader: FieldReader, fields: Fields, key: string): boolean | undefined {
  return reader.optional(fields, key, (from, name) => reader.boolean(from, name));
}

// oxlint-disable-next-line max-params -- The reader's own signature with one thing in front.
function optionalNumber(
  reader: FieldReader,
  fields: Fields,
  key: string,
  min: number,
  max: number,
): number | undefined {
  return reader.optional(fields, key, (from, name) => reader.number(from, name, min, max));
}

// oxlint-disable-next-line max-params -- As above.
function optionalInteger(
  reader: FieldReader,
  fields: Fields,
  key: string,
  min: number,
  max: number,
): number | undefined {
  return reader.optional(fields, key, (from, name) => reader.integer(from, name, min, max));
}
