// Builds the page from one status document. Text from the gateway goes in as text nodes only, never as markup.
import type {
  Decision,
  ErrorNote,
  GatewayStatus,
  ProviderStatus,
} from "../../../packages/gateway/src/http/admin/gateway-status.ts";
import { clockTime, count, dollars, megabytes, milliseconds, span } from "./format.ts";

type Cell = string | Node | { readonly text: string; readonly kind: "number" | "wide" };

export function element(tag: string, className: string, ...children: (string | Node)[]): HTMLElement {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  node.append(...children);
  return node;
}

export function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`the page has no element #${id}`);
  return node;
}

function fillTable(id: string, heads: readonly string[], rows: readonly (readonly Cell[])[], empty: string): void {
  const head = element(
    "tr",
    "",
    ...heads.map((name) => element("th", name.endsWith("#") ? "number" : "", name.replace(/#$/, ""))),
  );
  const body = rows.map((cells) => element("tr", "", ...cells.map(cellNode)));
  if (body.length === 0) {
    const cell = element("td", "empty", empty);
    cell.setAttribute("colspan", String(heads.length));
    body.push(element("tr", "", cell));
  }
  byId(id).replaceChildren(element("thead", "", head), element("tbody", "", ...body));
}

function cellNode(cell: Cell): HTMLElement {
  if (typeof cell === "object" && "text" in cell) return element("td", cell.kind, cell.text);
  return element("td", cell instanceof HTMLElement && cell.dataset["wide"] === "yes" ? "wide" : "", cell);
}

const number = (text: string): Cell => ({ text, kind: "number" });

export function showHeadline(status: GatewayStatus): void {
  const access = status.access === "open" ? "open to this machine" : "API keys required";
  byId("headline").textContent = `version ${status.version} · up ${span(status.uptimeSeconds)} · ${access}`;
}

export function showTiles(status: GatewayStatus): void {
  const { traffic, answers, sessions, process } = status;
  const lately = traffic.requestsPerSecond.slice(-11, -1);
  const rate = lately.reduce((sum, value) => sum + value, 0) / Math.max(1, lately.length);
  const finished = answers.good + answers.bad;
  const share = finished === 0 ? "–" : `${((answers.good / finished) * 100).toFixed(answers.bad === 0 ? 0 : 2)} %`;
  const { latencyMs } = traffic;
  const latency = (value: number): string => milliseconds(latencyMs.count === 0 ? undefined : value);
  const tiles: [name: string, value: string, note: string][] = [
    ["requests/s", rate.toFixed(1), `${traffic.inWork} in work, ${traffic.sockets} sockets`],
    ["latency p50", latency(latencyMs.p50), `p90 ${latency(latencyMs.p90)}`],
    ["latency p99", latency(latencyMs.p99), `of ${count(latencyMs.count)} requests in 2 min`],
    ["XR sessions", count(sessions.open), `of at most ${count(sessions.max)}`],
    [
      "good answers",
      share,
      `${count(answers.good)} good, ${count(answers.bad)} bad, ${count(answers.cancelled)} cancelled`,
    ],
    [
      "cost",
      dollars(answers.costUsd),
      answers.unpriced === 0 ? "all answers priced" : `${count(answers.unpriced)} answers without a known price`,
    ],
    [
      "tokens",
      count(answers.inputTokens + answers.outputTokens),
      `${count(answers.inputTokens)} in, ${count(answers.outputTokens)} out`,
    ],
    ["memory", megabytes(process.residentBytes), `heap ${megabytes(process.heapUsedBytes)}`],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([name, value, note]) =>
      element("div", "tile", element("span", "", name), element("b", "", value), element("i", "", note)),
    ),
  );
}

export function showProviders(providers: readonly ProviderStatus[]): void {
  fillTable(
    "providers",
    [
      "provider",
      "state",
      "type",
      "region",
      "answers#",
      "failures#",
      "first part p50#",
      "total p50#",
      "cost#",
      "models",
    ],
    providers.map((provider) => [
      provider.id,
      stateNode(provider),
      provider.type,
      provider.region,
      number(count(provider.answers)),
      number(count(provider.failures)),
      number(milliseconds(provider.firstPartP50Ms)),
      number(milliseconds(provider.totalP50Ms)),
      number(dollars(provider.costUsd)),
      {
        text:
          provider.models.slice(0, 6).join(", ") +
          (provider.models.length > 6 ? ` and ${provider.models.length - 6} more` : ""),
        kind: "wide",
      },
    ]),
    "No provider is configured.",
  );
}

function stateNode(provider: ProviderStatus): HTMLElement {
  const colors = { healthy: "good", degraded: "warn", unhealthy: "bad", unknown: "" } as const;
  const note = provider.lastFailure === undefined ? "" : ` (${provider.lastFailure})`;
  return element("span", `state ${colors[provider.state]}`, provider.state + note);
}

export function showDecisions(decisions: readonly Decision[]): void {
  fillTable(
    "decisions",
    ["time", "kind", "asked", "answered by", "outcome", "first part#", "total#", "tokens#", "cost#", "why"],
    decisions
      .slice(0, 25)
      .map((decision) => [
        clockTime(decision.atUnixMs),
        decision.kind,
        decision.asked,
        decision.provider === ""
          ? "–"
          : `${decision.provider}/${decision.model}${decision.isCached ? " (cached)" : ""}`,
        outcomeNode(decision),
        number(milliseconds(decision.firstPartMs)),
        number(milliseconds(decision.totalMs)),
        number(decision.outputTokens === undefined ? "–" : count((decision.inputTokens ?? 0) + decision.outputTokens)),
        number(decision.outcome === "error" ? "–" : dollars(decision.costUsd)),
        reasonNode(decision),
      ]),
    "Nobody has asked anything yet. Open the demo, or send a chat to /v1/chat/completions.",
  );
}

function outcomeNode(decision: Decision): HTMLElement {
  const colors: Readonly<Record<string, string>> = {
    complete: "good",
    resumed: "good",
    degraded: "warn",
    error: "bad",
  };
  const text = decision.error === undefined ? decision.outcome : `${decision.outcome}: ${decision.error}`;
  return element("span", `state ${colors[decision.outcome] ?? ""}`, text);
}

function reasonNode(decision: Decision): HTMLElement {
  const total = decision.steps.reduce((sum, step) => sum + step.ms, 0);
  const bars = decision.steps.map((step) => {
    const bar = element("span", "");
    bar.style.flexGrow = String(total === 0 ? 1 : step.ms / total);
    bar.title = `${step.name}: ${milliseconds(step.ms)}`;
    return bar;
  });
  const legend = decision.steps.map((step) => `${step.name} ${milliseconds(step.ms)}`).join(" · ");
  const node = element("div", "", [decision.reason, ...decision.changes].filter((text) => text !== "").join("; "));
  if (bars.length > 0) node.append(element("div", "steps", ...bars), element("div", "legend", legend));
  node.dataset["wide"] = "yes";
  return node;
}

export function showErrors(errors: readonly ErrorNote[]): void {
  fillTable(
    "errors",
    ["time", "code", "status#", "route", "request"],
    errors
      .slice(0, 15)
      .map((note) => [clockTime(note.atUnixMs), note.code, number(String(note.status)), note.route, note.requestId]),
    "None since the start.",
  );
}
