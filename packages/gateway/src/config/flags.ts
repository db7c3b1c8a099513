import { parseArgs } from "node:util";
import { ConfigurationError, shownValue } from "./config-problem.ts";
import { suggest } from "./suggest.ts";

/** Options of every command; what only one command takes is read by that command. */
export interface Flags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly "tls-cert"?: string;
  readonly "tls-key"?: string;
  readonly help: boolean;
  readonly version: boolean;
  readonly json: boolean;
  readonly positionals: readonly string[];
  /** Options beyond the common ones, by name. */
  readonly other: Readonly<Record<string, string>>;
}

const OPTIONS = {
  config: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  data: { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
  json: { type: "boolean" },
} as const;

/** `extra` names options with a value that the command takes beside the common ones. Throws `ConfigurationError`. */
export function parseFlags(args: readonly string[], extra: readonly string[] = []): Flags {
  const own = Object.fromEntries(extra.map((name) => [name, { type: "string" as const }]));
  const known: string[] = [...Object.keys(OPTIONS), ...extra];
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: { ...own, ...OPTIONS },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems = tokens.flatMap((token) => {
    if (token.kind !== "option") return [];
    const key = token.rawName;
    if (!known.includes(token.name)) {
      const near = suggest(token.name, known);
      return [
        {
          where: "command line",
          key,
          message: "unknown option",
          remedy:
            near === undefined
              ? `Known: ${known.map((name) => `--${name}`).join(", ")}`
              : `Did you mean \`--${near}\`?`,
        },
      ];
    }
    const takesValue = !["help", "version", "json"].includes(token.name);
    if (takesValue && (token.value === undefined || token.value === ""))
      return [{ where: "command line", key, message: "needs a value", remedy: `Write \`${key} <value>\`` }];
    if (!takesValue && token.value !== undefined)
      return [
        {
          where: "command line",
          key,
          value: shownValue(token.value, false),
          message: "takes no value",
          remedy: `Write \`${key}\` alone`,
        },
      ];
    return [];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  const textOf = (name: string): string | undefined => {
    const value = (values as Record<string, unknown>)[name];
    return typeof value === "string" ? value : undefined;
  };
  const given = (name: "config" | "host" | "port" | "data" | "tls-cert" | "tls-key"): object => {
    const value = textOf(name);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    ...given("config"),
    ...given("host"),
    ...given("port"),
    ...given("data"),
    ...given("tls-cert"),
    ...given("tls-key"),
    help: values["help"] === true,
    version: values["version"] === true,
    json: values["json"] === true,
    positionals,
    other: Object.fromEntries(
      extra.flatMap((name) => (textOf(name) === undefined ? [] : [[name, textOf(name) ?? ""]])),
    ),
  };
}
