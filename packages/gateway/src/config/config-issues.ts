import type { z } from "zod";
import type { ConfigProblem } from "./config-problem.ts";
import { shownValue } from "./config-problem.ts";
import { configSchema } from "./config-schema.ts";
import type { Path } from "./schema-walk.ts";
import { isSecretPath, pathText, schemaAt, shapeOf, walkKeys } from "./schema-walk.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Where a path was written, and under which name there (`FOVEA_PORT` for `server.port`). */
export type Locate = (path: Path) => { readonly where: string; readonly key: string };

/** Turns what zod found into problems that name the key, the value and the remedy. */
export function problemsOf(issues: readonly Issue[], input: unknown, locate: Locate): ConfigProblem[] {
  return issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => unknownKey([...issue.path, key], locate))
      : [problemOf(issue, input, locate)],
  );
}

function unknownKey(path: Path, locate: Locate): ConfigProblem {
  const name = String(path.at(-1));
  const group = path.slice(0, -1);
  const siblings = Object.keys(shapeOf(schemaAt(configSchema, group) ?? configSchema));
  const near = suggest(name, siblings);
  return {
    ...locate(path),
    message: "unknown key",
    remedy:
      near !== undefined
        ? `Did you mean \`${near}\`? Rename it`
        : (elsewhere(name) ?? `Known here: ${siblings.map((key) => `\`${key}\``).join(", ")}`),
  };
}

/** A key of another group written in the wrong place. */
function elsewhere(name: string): string | undefined {
  for (const { path } of walkKeys(configSchema))
    if (path.split(".").at(-1) === name && !path.includes("[]")) return `It belongs at \`${path}\`: move it there`;
  return undefined;
}

function problemOf(issue: Issue, input: unknown, locate: Locate): ConfigProblem {
  const value = valueAt(input, issue.path);
  const isSecret = isSecretPath(configSchema, issue.path);
  const [message, remedy] = explain(issue, value);
  return {
    ...locate(issue.path),
    ...(value === undefined ? {} : { value: shownValue(value, isSecret) }),
    message,
    remedy,
  };
}

function explain(issue: Issue, value: unknown): [message: string, remedy: string] {
  switch (issue.code) {
    case "invalid_type":
      return value === undefined
        ? ["is missing", `Add it: a ${typeName(issue.expected)}`]
        : [`must be a ${typeName(issue.expected)}`, `Write a ${typeName(issue.expected)}`];
    case "invalid_value": {
      const values = issue.values.map(String);
      const near = typeof value === "string" ? suggest(value, values) : undefined;
      return [
        "is not one of the known values",
        near === undefined
          ? `Choose one of ${values.join(", ")}`
          : `Did you mean \`${near}\`? Known: ${values.join(", ")}`,
      ];
    }
    case "too_small":
      return typeof value === "number"
        ? [`must be at least ${issue.minimum}`, `Write ${issue.minimum} or more`]
        : [`must have at least ${issue.minimum} ${counted(issue.origin)}`, "Write more, or leave the key out"];
    case "too_big":
      return [`must be at most ${issue.maximum}`, `Write ${issue.maximum} or less`];
    case "custom":
      return [issue.message, String(issue.params?.["remedy"] ?? `Correct \`${pathText(issue.path)}\``)];
    default:
      return [issue.message, `See docs/reference/configuration.md for \`${pathText(issue.path)}\``];
  }
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    int: "whole number",
    array: "list",
    object: "group of keys",
    record: "group of keys",
    string: "text",
    boolean: "truth value (true or false)",
  };
  return names[expected] ?? expected;
}

function counted(origin: string): string {
  return origin === "string" ? "characters" : "entries";
}

export function valueAt(input: unknown, path: Path): unknown {
  let at: unknown = input;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}
