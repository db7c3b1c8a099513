// Reads facts back out of the zod schema: which keys exist at a path, what a key means, what its default is.
import type { z } from "zod";
import type { KeyMeta } from "./config-schema.ts";

export type Path = readonly PropertyKey[];

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly defaultValue?: unknown;
  readonly entries?: Readonly<Record<string, string>>;
}

export function definitionOf(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

/** Without the wrappers that only say optional, default or preprocess. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const definition = definitionOf(schema);
  const inner = definition.type === "pipe" ? definition.out : definition.innerType;
  return inner === undefined ? schema : unwrap(inner);
}

export function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return definitionOf(unwrap(schema)).shape ?? {};
}

/** The schema that the path leads to; undefined beyond what the schema knows. */
export function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const step of path) {
    if (at === undefined) return undefined;
    const definition = definitionOf(unwrap(at));
    at = definition.shape === undefined ? (definition.element ?? definition.valueType) : definition.shape[String(step)];
  }
  return at;
}

export function metaOf(schema: z.ZodType | undefined): Partial<KeyMeta> {
  return (schema?.meta() ?? {}) as Partial<KeyMeta>;
}

/** True when the value at the path, or the group that holds it, must not be shown. */
export function isSecretPath(schema: z.ZodType, path: Path): boolean {
  return path.some((_step, index) => metaOf(schemaAt(schema, path.slice(0, index + 1))).secret === true);
}

/** `providers[0].baseUrl` */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text === "" ? "" : "."}${String(step)}`;
  return text;
}

/** Every group's keys with their paths, groups first: `server`, `server.host`, …; list items as `providers[]`. */
export function* walkKeys(schema: z.ZodType, prefix = ""): Generator<{ path: string; schema: z.ZodType }> {
  for (const [key, child] of Object.entries(shapeOf(schema))) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    yield { path, schema: child };
    const definition = definitionOf(unwrap(child));
    if (definition.element !== undefined) yield* walkKeys(definition.element, `${path}[]`);
    else yield* walkKeys(child, path);
  }
}
