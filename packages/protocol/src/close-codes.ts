/** What a client does after a close: come back with its resume token, come back as a new session, or stay away. */
export type ReconnectAdvice = "resume" | "fresh" | "never";

/** One way a connection ends. `name` is the error code of the gateway where one exists. */
export interface CloseCodeRow {
  readonly name: string;
  readonly meaning: string;
  readonly reconnect: ReconnectAdvice;
  /** Shortest wait before the first attempt to come back; the usual backoff applies where absent. */
  readonly waitMsMin?: number;
}

/** Close codes of the native wire. 1000-1015 are RFC 6455's; 44xx and 45xx follow the HTTP status of the same meaning. */
export const CLOSE_CODES = {
  1000: { name: "done", meaning: "The session ended as asked.", reconnect: "never" },
  1001: { name: "going_away", meaning: "The page or the gateway is leaving.", reconnect: "resume" },
  1002: { name: "websocket_protocol", meaning: "The WebSocket framing was broken.", reconnect: "resume" },
  1005: { name: "no_code", meaning: "The peer closed without saying why.", reconnect: "resume" },
  1006: { name: "connection_lost", meaning: "The connection broke without a close message.", reconnect: "resume" },
  1007: { name: "text_invalid", meaning: "A text message was not UTF-8.", reconnect: "never" },
  1009: { name: "message_too_big", meaning: "A message was larger than the transport allows.", reconnect: "resume" },
  1011: { name: "internal", meaning: "The gateway failed.", reconnect: "resume" },
  1012: { name: "shutting_down", meaning: "The gateway restarts; another one may take over.", reconnect: "resume" },
  1013: { name: "try_later", meaning: "The gateway has no room now.", reconnect: "resume", waitMsMin: 2_000 },
  4400: {
    name: "request_invalid",
    meaning: "A message broke the contract; the reason names the field.",
    reconnect: "never",
  },
  4401: {
    name: "credentials_invalid",
    meaning: "The token is missing, wrong or expired; ask for a new one.",
    reconnect: "never",
  },
  4403: { name: "permission_denied", meaning: "The token does not allow this.", reconnect: "never" },
  4404: { name: "session_unknown", meaning: "The session of the resume token is gone.", reconnect: "fresh" },
  4406: {
    name: "protocol_version_unsupported",
    meaning: "The gateway does not speak this version.",
    reconnect: "never",
  },
  4408: {
    name: "hello_timeout",
    meaning: "No hello arrived in time, or the peer stopped answering pings.",
    reconnect: "resume",
  },
  4409: { name: "session_taken", meaning: "Another connection resumed this session.", reconnect: "never" },
  4410: { name: "model_retired", meaning: "The model asked for no longer exists.", reconnect: "never" },
  4413: { name: "request_too_large", meaning: "A message or packet was over the limit.", reconnect: "never" },
  4422: { name: "request_unsupported", meaning: "Understood, but not possible here.", reconnect: "never" },
  4429: { name: "rate_limited", meaning: "Too much in too short a time.", reconnect: "resume", waitMsMin: 1_000 },
  4499: { name: "request_cancelled", meaning: "The client withdrew.", reconnect: "never" },
  4502: { name: "provider_failed", meaning: "No provider could answer.", reconnect: "resume" },
  4503: { name: "overloaded", meaning: "The gateway sheds load.", reconnect: "resume", waitMsMin: 2_000 },
  4504: { name: "deadline_exceeded", meaning: "An answer took too long.", reconnect: "resume" },
} as const satisfies Readonly<Record<number, CloseCodeRow>>;

export type CloseCode = keyof typeof CLOSE_CODES;

const UNKNOWN: CloseCodeRow = { name: "unknown", meaning: "A close code outside the table.", reconnect: "resume" };

/** Row of any close code, also of one that a newer gateway may send. */
export function closeCodeRow(code: number): CloseCodeRow {
  return Object.hasOwn(CLOSE_CODES, code) ? CLOSE_CODES[code as CloseCode] : UNKNOWN;
}

/** RFC 6455 gives a close reason 123 bytes. Counted as three bytes for anything beyond ASCII, so it never overflows. */
export function closeReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += character.length > 1 ? 4 : character.charCodeAt(0) < 0x80 ? 1 : 3;
    if (bytes > 123) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
