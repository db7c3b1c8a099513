import { readFileSync } from "node:fs";
import { isCollection, LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "./config-problem.ts";
import { ConfigurationError, shownValue } from "./config-problem.ts";
import type { Path } from "./schema-walk.ts";
import { pathText } from "./schema-walk.ts";
import { suggest } from "./suggest.ts";
import type { Environment } from "./vendors.ts";
import { variable } from "./vendors.ts";

export interface ConfigFile {
  readonly path: string;
  /** Plain values, `${NAME}` already replaced. */
  readonly values: Readonly<Record<string, unknown>>;
  /** One-based line on which the value of the path begins; its group's line where it is absent. */
  lineOf(path: Path): number | undefined;
}

/** Throws `ConfigurationError` when the file cannot be read, is not YAML, or names variables that are not set. */
export function readConfigFile(path: string, environment: Environment): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new ConfigurationError([
      {
        where: "command line",
        key: "--config",
        value: shownValue(path, false),
        message: `cannot be read (${code})`,
        remedy: "Name an existing YAML file, or leave the option out",
      },
    ]);
  }
  return parseConfigFile(path, text, environment);
}

export function parseConfigFile(path: string, text: string, environment: Environment): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: "1.2" });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const line = lines.linePos(broken.pos[0]).line;
    throw new ConfigurationError([
      {
        where: `${path}:${line}`,
        key: "YAML",
        message: broken.message.split("\n")[0] ?? "cannot be parsed",
        remedy: "Correct the syntax on this line",
      },
    ]);
  }
  const lineOf = (at: Path): number | undefined => {
    for (let length = at.length; length > 0; length--) {
      const node = document.getIn(at.slice(0, length), true) as { range?: [number, number, number] | null } | undefined;
      if (node?.range !== undefined && node.range !== null) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const plain: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (!isCollection(document.contents) && document.contents !== null)
    throw new ConfigurationError([
      {
        where: path,
        key: "file",
        value: shownValue(plain, true),
        message: "must be a group of keys",
        remedy: "Start with a key such as `providers:`",
      },
    ]);
  const problems: ConfigProblem[] = [];
  const values = substitute(plain, [], (name, fallback, at) => {
    const value = variable(environment, name) ?? fallback;
    if (value !== undefined) return value;
    const near = suggest(name, Object.keys(environment));
    problems.push({
      where: `${path}:${lineOf(at) ?? 1}`,
      key: pathText(at),
      value: `\${${name}}`,
      message: `names the environment variable ${name}, which is not set`,
      remedy: `Set ${name}${near === undefined ? "" : ` (did you mean ${near}?)`}, or write \${${name}:-default}`,
    });
    return "";
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { path, values: values as Record<string, unknown>, lineOf };
}

const REFERENCE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

type ReadVariable = (name: string, fallback: string | undefined, path: Path) => string;

/** Replaces references in values only, after parsing: what a variable holds can never become structure. `$$` is `$`. */
function substitute(value: unknown, path: Path, read: ReadVariable): unknown {
  if (typeof value === "string")
    return value.replace(REFERENCE, (_whole, name: string | undefined, fallback: string | undefined) =>
      name === undefined ? "$" : read(name, fallback, path),
    );
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index], read));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, [...path, key], read)]));
}
