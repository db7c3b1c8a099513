import type { GatewayStatus } from "../../../packages/gateway/src/http/admin/gateway-status.ts";
import { drawChart } from "./chart.ts";
import { count, megabytes, milliseconds } from "./format.ts";
import { byId, showDecisions, showErrors, showHeadline, showProviders, showTiles } from "./view.ts";

const POLL_MS = 1_000;
const HISTORY = 120;
const KEY = "fovea-dashboard-key";

const loopDelays: number[] = [];
const resident: number[] = [];
const heap: number[] = [];

function keep(values: number[], value: number): void {
  values.push(value);
  if (values.length > HISTORY) values.shift();
}

function show(status: GatewayStatus): void {
  document.querySelector("main")?.removeAttribute("hidden");
  byId("key-form").hidden = true;
  keep(loopDelays, status.process.loopDelayP99Ms);
  keep(resident, status.process.residentBytes);
  keep(heap, status.process.heapUsedBytes);
  showHeadline(status);
  showTiles(status);
  const { requestsPerSecond, errorsPerSecond } = status.traffic;
  const requests = { values: requestsPerSecond, color: "--accent", isFilled: true };
  const errors = { values: errorsPerSecond, color: "--bad", isFilled: true };
  drawChart(
    byId("chart-requests") as HTMLCanvasElement,
    errorsPerSecond.some((value) => value > 0) ? [requests, errors] : [requests],
    count,
  );
  drawChart(
    byId("chart-loop") as HTMLCanvasElement,
    [{ values: loopDelays, color: "--second", isFilled: true }],
    milliseconds,
  );
  const memory = [
    { values: resident, color: "--accent", isFilled: false },
    { values: heap, color: "--second", isFilled: true },
  ];
  drawChart(byId("chart-memory") as HTMLCanvasElement, memory, megabytes);
  showProviders(status.providers);
  showDecisions(status.decisions);
  showErrors(status.errors);
}

async function poll(): Promise<void> {
  const key = sessionStorage.getItem(KEY);
  try {
    const response = await fetch("/admin/status", key === null ? {} : { headers: { authorization: `Bearer ${key}` } });
    if (response.status === 401 || response.status === 403) {
      byId("key-form").hidden = false;
      const refusal = (await response.json()) as { error?: { message?: string } };
      byId("headline").textContent = key === null ? "an API key is needed" : (refusal.error?.message ?? "refused");
      return;
    }
    if (!response.ok) throw new Error(`status ${response.status}`);
    show((await response.json()) as GatewayStatus);
  } catch {
    byId("headline").textContent = "the gateway does not answer; trying again";
  }
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, (byId("key") as HTMLInputElement).value);
  void poll();
});

async function run(): Promise<void> {
  // A hidden page asks nothing.
  if (!document.hidden) await poll();
  setTimeout(() => void run(), POLL_MS);
}
void run();
