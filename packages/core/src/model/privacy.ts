/** Levels of xr.md section 13, from least to most. Enforced in the SDK and again in the gateway. */
export interface Consent {
  readonly head: boolean;
  readonly hands: "none" | "gesture" | "rounded" | "raw";
  readonly room: "none" | "labels" | "lod" | "full";
  readonly camera: boolean;
  readonly audio: boolean;
  readonly eyes: boolean;
}

export const NO_CONSENT: Consent = {
  head: false,
  hands: "none",
  room: "none",
  camera: false,
  audio: false,
  eyes: false,
};

/** Who is asking. Made once when a connection or call is authenticated, and carried by every request. */
export interface Principal {
  readonly tenantId: string;
  readonly userId: string;
  readonly scopes: readonly Scope[];
  /** How the caller was recognised; `open` exists only on a loopback address without configured keys. */
  readonly via: "open" | "api-key" | "session-token";
  /** Identifier of the key, never the key. */
  readonly keyId?: string;
}

export type Scope = "chat" | "session" | "metrics" | "admin";
