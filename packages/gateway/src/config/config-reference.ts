// docs/reference/configuration.md, made from the schema: what is documented is what is accepted.
import type { z } from "zod";
import { configSchema } from "./config-schema.ts";
import { definitionOf, metaOf, unwrap, walkKeys } from "./schema-walk.ts";
import { VENDORS } from "./vendors.ts";

export function configurationReference(): string {
  const rows = [...walkKeys(configSchema)].map(({ path, schema }) => row(path, schema));
  const vendors = VENDORS.map(
    (vendor) => `| ${vendor.name} | \`${vendor.type}\` | \`${vendor.keyVariable}\` | \`${vendor.baseUrlVariable}\` |`,
  );
  return `# Configuration

Generated from \`packages/gateway/src/config\` by \`node tools/generate-reference.ts\`; do not edit.

Values come from the command line, the environment, \`fovea.yaml\` (in the working folder, or where \`--config\` or
\`FOVEA_CONFIG\` says) and the defaults, in this order: the first that says something wins. In the file, \`\${NAME}\` is
replaced by the environment variable, \`\${NAME:-text}\` has a fallback, \`$$\` is a dollar sign. \`npx fovea doctor\` shows
what holds and where it came from.

## Providers from the environment

| Vendor | Provider id | Key | Base URL (optional) |
|---|---|---|---|
${vendors.join("\n")}

\`custom\` is switched on by its base URL; its key is optional.

## Keys of fovea.yaml

| Key | Value | Default | Flag, variable | Meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function row(path: string, schema: z.ZodType): string {
  const { description = "", flag, env } = metaOf(schema);
  const ways = [flag, env].filter((way) => way !== undefined).map((way) => `\`${way}\``);
  return `| \`${path}\` | ${valueText(schema)} | ${defaultText(schema)} | ${ways.join(", ")} | ${description.replaceAll("|", "\\|")} |`;
}

function valueText(schema: z.ZodType): string {
  const plain = unwrap(schema);
  const definition = definitionOf(plain);
  const { minValue, maxValue } = plain as unknown as { minValue?: number; maxValue?: number };
  switch (definition.type) {
    case "number":
      return `number, ${minValue} to ${maxValue}`;
    case "enum":
      return Object.values(definition.entries ?? {})
        .map((entry) => `\`${entry}\``)
        .join(", ");
    case "array":
      return `list of ${definition.element === undefined ? "values" : valueText(definition.element)}`;
    case "record":
      return `names with ${definition.valueType === undefined ? "values" : valueText(definition.valueType)}`;
    case "object":
      return "group";
    case "boolean":
      return "`true`, `false`";
    default:
      return "text";
  }
}

function defaultText(schema: z.ZodType): string {
  const definition = definitionOf(schema);
  if (definition.type !== "default") return "";
  const value = definition.defaultValue;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? `\`${value}\``
    : `\`${JSON.stringify(value)}\``;
}
