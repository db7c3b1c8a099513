import type { ExplainedCell, Explanation } from "@fovea/core";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { parseFlags } from "../config/flags.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import type { Command, Terminal } from "./command.ts";
import { configInput } from "./command.ts";

const USAGE = `usage: fovea explain ["text of the question"] [--model <name>] [--tenant <name>] [--user <name>] [--latency <class>]
       fovea explain --request <id>          why a request of the last five hundred went where it went
       both: [--url <gateway>] [--key <key with scope admin>] [--json]

Asks the running gateway who would be tried for such a request, in which order and why, and who is left out. Calls no
provider. The key is taken from fovea.yaml where one with the scope \`admin\` stands there in plain text.`;

const OPTIONS = ["model", "tenant", "user", "latency", "kind", "request", "url", "key"];

export const explain: Command = async (args, terminal) => {
  const flags = parseFlags(args, OPTIONS);
  if (flags.help || flags.positionals.length > 1) {
    (flags.help ? terminal.print : terminal.printError)(USAGE);
    return flags.help ? 0 : 2;
  }
  const config = resolveConfig({
    ...configInput(flags, terminal),
    flags: { ...flags, host: flags.host ?? "127.0.0.1" },
  });
  const { model, tenant, user, latency, kind, request } = flags.other;
  const [text = "hello"] = flags.positionals;
  const body = { model: model ?? "auto", messages: [{ role: "user", content: text }], tenant, user, latency, kind };
  const answer = await ask(config, flags.other, request === undefined ? body : undefined, request, terminal);
  if (answer === undefined) return 1;
  if (flags.json || request !== undefined) terminal.print(JSON.stringify(answer, null, 2));
  else for (const line of explanationLines(answer as Explanation)) terminal.print(line);
  return 0;
};

async function ask(
  config: ResolvedConfig,
  options: Readonly<Record<string, string>>,
  body: object | undefined,
  requestId: string | undefined,
  terminal: Terminal,
): Promise<unknown> {
  const { host, port } = config.settings.server;
  const base = options["url"] ?? `http://${host}:${port}`;
  const own = config.settings.auth.keys.find((entry) => entry.key !== undefined && entry.scopes.includes("admin"));
  const key = options["key"] ?? own?.key;
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const path = body === undefined ? `/admin/decisions/${encodeURIComponent(requestId ?? "")}` : "/admin/explain";
  try {
    const response = await fetch(base + path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const { error } = answer as { error?: { message?: string } };
    terminal.printError(`fovea explain: ${response.status} ${error?.message ?? ""}`);
  } catch {
    terminal.printError(`fovea explain: nothing answers at ${base}; name the gateway with --url`);
  }
  return undefined;
}

/** For people, most important first. */
export function explanationLines(answer: Explanation): string[] {
  const { asked, kind, latencyClass, rule, refusal, cells, excluded, mirror, hedgeDelayMs, budgets } = answer;
  const lines = [`${kind} for '${asked}', ${latencyClass}${rule === undefined ? "" : `, by the rule '${rule}'`}`];
  if (refusal !== undefined) lines.push(`refused: ${refusal.code}: ${refusal.message}`);
  for (const [index, cell] of cells.entries()) lines.push(...cellLines(`${index + 1}.`, cell));
  if (hedgeDelayMs !== undefined && cells.length > 1)
    lines.push(`after ${Math.round(hedgeDelayMs)} ms of silence number 2 is asked too`);
  if (mirror !== undefined) lines.push(`a copy goes to ${mirror.join(", ")}`);
  if (excluded.length > 0) lines.push("left out:");
  for (const { cell, reason, why } of excluded) lines.push(`  ${cell}: ${reason} (${why})`);
  for (const { name, requests, tokens, costMicroUsd, resetsInMs } of budgets) {
    const left = [
      ...(requests === undefined ? [] : [`${requests} requests`]),
      ...(tokens === undefined ? [] : [`${Math.floor(tokens)} tokens`]),
      ...(costMicroUsd === undefined ? [] : [`${Math.floor(costMicroUsd) / 1e6} US dollars`]),
    ];
    lines.push(`budget '${name}': ${left.join(", ")} left for ${Math.ceil(resetsInMs / 1_000)} s`);
  }
  return lines;
}

function cellLines(place: string, cell: ExplainedCell): string[] {
  const { state, why, inFlight, limit, firstContentP95Ms, succeeded, failed, share, heldBack, lastFailures } = cell;
  const facts = [
    `${state}, ${why}`,
    `${inFlight} of ${limit} in flight`,
    `${succeeded} good and ${failed} failed in 30 s`,
    ...(firstContentP95Ms === undefined ? [] : [`first words within ${firstContentP95Ms} ms for 95 of 100`]),
    ...(share < 1 ? [`held to ${Math.round(share * 100)} % of its share`] : []),
    ...(heldBack > 0 ? [`${Math.round(heldBack * 100)} % go elsewhere first because it rejects calls`] : []),
    ...(lastFailures.length === 0 ? [] : [`failures: ${lastFailures.join(", ")}`]),
  ];
  const terms = cell.terms.map(({ name, value, weight, note }) => {
    const product = (value * weight).toFixed(3);
    return `${name} ${value.toFixed(3)} x ${weight} = ${product}${note === undefined ? "" : ` (${note})`}`;
  });
  return [
    `${place} ${cell.cell}: ${cell.reason}${cell.degradation === undefined ? "" : ` [${cell.degradation}]`}`,
    `     ${facts.join("; ")}`,
    `     score ${cell.score.toFixed(3)} = ${terms.join(" + ")}`,
  ];
}
