import { CLIENT_PARSERS } from "./client-codec.ts";
import type { ClientMessage, ClientMessageBody } from "./client-messages.ts";
import type { Fields } from "./field-reader.ts";
import { FieldReader, isFields, own } from "./field-reader.ts";
import { LIMITS } from "./limits.ts";
import type { ParsedMessage, ProtocolError } from "./protocol-error.ts";
import { protocolError } from "./protocol-error.ts";
import { SERVER_PARSERS } from "./server-codec.ts";
import type { ServerMessage } from "./server-messages.ts";

/**
 * Parses what a client sent as text. Never throws on the text, whatever it is: a fault comes back as an error that names
 * the field, a type of a newer version as `unknown`. Fields that are not known are left out of the result.
 */
export function parseClientMessage(text: string): ParsedMessage<ClientMessage> {
  return parseMessage(text, (type, reader, fields): ClientMessage | undefined => {
    if (!Object.hasOwn(CLIENT_PARSERS, type)) return undefined;
    const parse = CLIENT_PARSERS[type as keyof typeof CLIENT_PARSERS];
    const message: ClientMessageBody = parse(reader, fields);
    const n = reader.optional(fields, "n", (from, key) => reader.integer(from, key, 1, Number.MAX_SAFE_INTEGER));
    return n === undefined ? message : { ...message, n };
  });
}

/** Parses what a gateway sent as text; same promises as `parseClientMessage`. */
export function parseServerMessage(text: string): ParsedMessage<ServerMessage> {
  return parseMessage(text, (type, reader, fields): ServerMessage | undefined => {
    if (!Object.hasOwn(SERVER_PARSERS, type)) return undefined;
    return SERVER_PARSERS[type as keyof typeof SERVER_PARSERS](reader, fields);
  });
}

/** The text of a message that this program made itself, so it is not checked. A pose sample is not JSON: `toPoseJson`. */
export function encodeMessage(message: Exclude<ClientMessage, { type: "pose" }> | ServerMessage): string {
  return JSON.stringify(message);
}

function parseMessage<T>(
  text: string,
  parse: (type: string, reader: FieldReader, fields: Fields) => T | undefined,
): ParsedMessage<T> {
  if (text.length > LIMITS.controlCharactersMax)
    return refused("too_large", "message", `expected at most ${LIMITS.controlCharactersMax} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused("json_malformed", "message", "expected JSON");
  }
  if (!isFields(value)) return refused("wrong_type", "message", "expected an object");
  const type = own(value, "type");
  if (typeof type !== "string")
    return refused(type === undefined ? "missing" : "wrong_type", "type", "expected a string");
  const reader = new FieldReader();
  const message = parse(type, reader, value);
  if (reader.error !== undefined) return { outcome: "error", error: reader.error };
  if (message === undefined) return { outcome: "unknown", type: type.slice(0, 64) };
  return { outcome: "message", message };
}

function refused(code: ProtocolError["code"], field: string, message: string): ParsedMessage<never> {
  return { outcome: "error", error: protocolError(code, field, message) };
}
