/** How much of the hands leaves the page: nothing, names of gestures, a static hand model, the tracked joints. */
export const HAND_LEVELS = ["none", "gesture", "rounded", "raw"] as const;
/** How much of the room leaves the page: nothing, labelled boxes, a coarse mesh, everything. */
export const ROOM_LEVELS = ["none", "labels", "lod", "full"] as const;

/** What the user agreed to send, each modality from least to most. Enforced in the SDK and again in the gateway. */
export interface WireConsent {
  readonly head: boolean;
  readonly hands: (typeof HAND_LEVELS)[number];
  readonly room: (typeof ROOM_LEVELS)[number];
  readonly camera: boolean;
  readonly audio: boolean;
  readonly eyes: boolean;
}

/** Nothing at all: what holds until the user has said otherwise. */
export const NO_WIRE_CONSENT: WireConsent = {
  head: false,
  hands: "none",
  room: "none",
  camera: false,
  audio: false,
  eyes: false,
};
