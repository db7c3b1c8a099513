import type { JsonSchema } from "@fovea/core";

/** Gemini's OpenAPI subset (`OBJECT`, `nullable`) as JSON Schema. What is JSON Schema already stays as it is. */
export function toJsonSchema(value: unknown): JsonSchema {
  return convert(value) as JsonSchema;
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== "object" || value === null) return value;
  const source = value as Readonly<Record<string, unknown>>;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(source)) {
    if (key === "properties" || key === "$defs") out[key] = convertEach(inner);
    else if (key === "enum" || key === "const" || key === "default" || key === "example") out[key] = inner;
    else if (key === "type" && typeof inner === "string") out[key] = inner.toLowerCase();
    else if (key !== "nullable" && key !== "propertyOrdering") out[key] = convert(inner);
  }
  if (source["nullable"] === true && typeof out["type"] === "string") out["type"] = [out["type"], "null"];
  return out;
}

/** Names of properties are data: one called `type` is not a type. */
function convertEach(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner)]));
}
