import { GatewayError } from "@fovea/core";

/** One thing wrong with the configuration, told so that it can be put right without reading documentation. */
export interface ConfigProblem {
  /** Where it was written: `fovea.yaml:12`, `environment`, `command line`. */
  readonly where: string;
  /** `providers[0].baseUrl`, `FOVEA_PORT`, `--port`. */
  readonly key: string;
  /** As written, masked where it may be secret; absent where nothing was written. */
  readonly value?: string;
  readonly message: string;
  readonly remedy: string;
}

export class ConfigurationError extends GatewayError<"configuration_invalid"> {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super("configuration_invalid", problems.map(problemText).join("\n"));
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

export function problemText(problem: ConfigProblem): string {
  const value = problem.value === undefined ? "" : ` (is ${problem.value})`;
  return `${problem.where}: ${problem.key}${value}: ${problem.message}. ${problem.remedy}${/[?.]$/.test(problem.remedy) ? "" : "."}`;
}

/** At most 80 characters, so that a pasted certificate does not fill the terminal. */
export function shownValue(value: unknown, isSecret: boolean): string {
  if (isSecret) return typeof value === "string" ? `<secret, ${value.length} characters>` : "<secret>";
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
