import type { SceneEntity } from "../model/spatial.ts";

/** An entity as somebody tells of it; hash and times are the graph's. */
export type EntityDescription = Omit<SceneEntity, "contentHash" | "firstSeenMs" | "lastSeenMs">;
