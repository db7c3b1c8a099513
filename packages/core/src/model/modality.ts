export type Modality = "text" | "image" | "audio" | "video" | "action" | "haptic" | "mesh" | "splat";

/** JSON Schema, draft 2020-12, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a result rests on: exact geometry, a stated rule, a model's word, or an assumption before any evidence. */
export type Basis = "measured" | "rule" | "model" | "prior";
