// Words that refer back or point: "it" is what the dialogue spoke of last, "that" is what the user attends to. They are
// replaced by ids before a question is answered; what cannot be bound stays, and is reported as not understood.
import type { EntityRelation, EntitySelector, SpatialQuery } from "../model/spatial.ts";
import type { AttentionSource } from "../model/xr-context.ts";
import { labelFit } from "../language/nouns.ts";
import { rayTargets } from "./ray-targets.ts";
import type { Scope } from "./scope.ts";

/** What the dialogue holds: the things last spoken of, the likeliest first. */
export interface DialogueFocus {
  readonly ids: readonly string[];
}

export function bindReferences(query: SpatialQuery, scope: Scope, focus: DialogueFocus | undefined): SpatialQuery {
  const bind = (selector: EntitySelector): EntitySelector => bindSelector(selector, scope, focus);
  const bound: Record<string, unknown> = { ...query };
  for (const field of ["target", "to", "from", "near", "where", "about", "standingAt", "facing"]) {
    if (bound[field] !== undefined) bound[field] = bind(bound[field] as EntitySelector);
  }
  if (query.kind === "relation") bound["anchors"] = query.anchors.map(bind);
  return bound as unknown as SpatialQuery;
}

export function bindSelector(selector: EntitySelector, scope: Scope, focus: DialogueFocus | undefined): EntitySelector {
  const bind = (inner: EntitySelector): EntitySelector => bindSelector(inner, scope, focus);
  const bound: EntitySelector = {
    ...selector,
    ...(selector.relations === undefined
      ? {}
      : {
          relations: selector.relations.map((relation): EntityRelation => ({
            ...relation,
            anchors: relation.anchors.map(bind),
          })),
        }),
    ...(selector.anyOf === undefined ? {} : { anyOf: selector.anyOf.map(bind) }),
    ...(selector.facing === undefined ? {} : { facing: bind(selector.facing) }),
    ...(selector.standingAt === undefined ? {} : { standingAt: bind(selector.standingAt) }),
  };
  const ids = idsOf(selector, scope, focus);
  return ids === undefined ? bound : { ...bound, ids };
}

function idsOf(
  selector: EntitySelector,
  scope: Scope,
  focus: DialogueFocus | undefined,
): readonly string[] | undefined {
  switch (selector.reference) {
    case "it":
      return spokenOf(selector, focus) ?? attended(selector, scope);
    case "that":
    case "there":
      return attended(selector, scope) ?? spokenOf(selector, focus);
    default:
      return undefined;
  }
}

function spokenOf(selector: EntitySelector, focus: DialogueFocus | undefined): readonly string[] | undefined {
  if (focus === undefined || focus.ids.length === 0) return undefined;
  return selector.isPlural === true ? focus.ids : focus.ids.slice(0, 1);
}

const ORDER: readonly AttentionSource[] = ["touch", "pointing", "transient-pointer", "eye-gaze", "head-gaze"];

/** Touch before pointing before looking. A class word ("that chair") must fit, so the next target may be meant. */
function attended(selector: EntitySelector, scope: Scope): readonly string[] | undefined {
  for (const source of ORDER) {
    for (const target of scope.attention) {
      if (target.source !== source || target.isOccluded || target.confidence < ATTENDED_MIN) continue;
      // Words that were bound apart: "that" is not what "there" was said of.
      if (target.saidAs !== undefined && (target.saidAs === "place") !== (selector.reference === "there")) continue;
      const id = scope.room.twinOf.get(target.entityId) ?? target.entityId;
      if (fits(selector, id, scope)) return [id];
    }
  }
  if (!scope.context.viewer.isTracked) return undefined;
  const [x, y, z, w] = scope.context.viewer.pose.orientation;
  const direction = [-2 * (x * z + w * y), -2 * (y * z - w * x), -(1 - 2 * (x * x + y * y))] as const;
  for (const { solid, confidence } of rayTargets({ origin: scope.view.position, direction }, scope.room)) {
    if (confidence >= ATTENDED_MIN && fits(selector, solid.entity.id, scope)) return [solid.entity.id];
  }
  return undefined;
}

/** Below this an attention target is a passing glance. */
const ATTENDED_MIN = 0.3;

function fits(selector: EntitySelector, id: string, scope: Scope): boolean {
  const solid = scope.room.byId.get(id);
  if (solid === undefined) return false;
  return (
    selector.label === undefined ||
    labelFit(selector.label, solid.label) >= 1 ||
    labelFit(selector.label, solid.name) >= 2
  );
}
