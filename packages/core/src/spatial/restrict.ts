import type { SpatialQuery } from "../model/spatial.ts";

/** The same question with its thing limited to some entities; anchors stay free. */
export function restrictTo(query: SpatialQuery, ids: readonly string[]): SpatialQuery {
  switch (query.kind) {
    case "find":
    case "nearest":
    case "farthest":
    case "count":
    case "size":
      return { ...query, target: { ...query.target, among: ids } };
    case "relation":
    case "visible":
      return { ...query, target: { ...query.target, among: ids } };
    default:
      return query;
  }
}
