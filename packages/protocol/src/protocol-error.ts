/** What can be wrong with a message or packet of the peer. Closed set; programs read it, people read the message. */
export type ProtocolProblem =
  | "json_malformed"
  | "missing"
  | "wrong_type"
  | "not_allowed"
  | "out_of_range"
  | "not_finite"
  | "not_normalized"
  | "too_large"
  | "too_deep"
  | "truncated"
  | "trailing_bytes"
  | "duplicate_id"
  | "source_unknown"
  | "version_unsupported"
  | "kind_unknown";

/** A refusal that names the field, as in `add[3].pose.orientation`, and says what was expected there. */
export interface ProtocolError {
  readonly code: ProtocolProblem;
  readonly field: string;
  readonly message: string;
}

/** Outcome of decoding one packet: the peer's bytes never make a decoder throw. */
export type Decoded<T> =
  | { readonly outcome: "packet"; readonly packet: T }
  | { readonly outcome: "error"; readonly error: ProtocolError };

/** Outcome of parsing one control message. `unknown` is not a fault: a newer peer may send types we do not know. */
export type ParsedMessage<T> =
  | { readonly outcome: "message"; readonly message: T }
  | { readonly outcome: "unknown"; readonly type: string }
  | { readonly outcome: "error"; readonly error: ProtocolError };

/** The gateway's error code for a refusal; the close code follows from it. */
export function gatewayCodeOf(
  problem: ProtocolProblem,
): "request_invalid" | "request_too_large" | "protocol_version_unsupported" {
  if (problem === "version_unsupported") return "protocol_version_unsupported";
  return problem === "too_large" ? "request_too_large" : "request_invalid";
}

/** Close code where such a refusal ends the connection, as it does before `welcome`. */
export function closeCodeOf(problem: ProtocolProblem): 4400 | 4406 | 4413 {
  if (problem === "version_unsupported") return 4406;
  return problem === "too_large" ? 4413 : 4400;
}

export function protocolError(code: ProtocolProblem, field: string, message: string): ProtocolError {
  return { code, field, message };
}
