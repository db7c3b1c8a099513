/** Gemini's schemas know no `const`: it becomes the enum of one value. Everything else passes. Returns new objects. */
export function withoutConst(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutConst);
  if (typeof schema !== "object" || schema === null) return schema;
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === "$schema") continue;
    if (name === "const") result["enum"] = [value];
    else if (name === "enum" || name === "default" || name === "examples") result[name] = value;
    else result[name] = withoutConst(value);
  }
  return result;
}
