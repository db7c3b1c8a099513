// What `GET /admin/status` answers and the dashboard shows. Types only and without imports, so that the page shares them.
// Nothing here is personal: no prompts, no answers, no poses, no user names.

export interface GatewayStatus {
  readonly version: string;
  readonly nowUnixMs: number;
  readonly uptimeSeconds: number;
  readonly access: "open" | "keys";
  readonly configuration?: ConfigurationStatus;
  readonly foresight?: ForesightStatus;
  readonly process: ProcessStatus;
  readonly traffic: TrafficStatus;
  readonly providers: readonly ProviderStatus[];
  readonly sessions: SessionStatus;
  readonly answers: AnswerTotals;
  /** Newest first. */
  readonly decisions: readonly Decision[];
  /** Newest first. */
  readonly errors: readonly ErrorNote[];
}

/** Which configuration is in force, and what became of the last change of the file. */
export interface ConfigurationStatus {
  /** 1 is the one that the gateway was started with. */
  readonly version: number;
  readonly loadedAtUnixMs: number;
  readonly lastReload: "none" | "applied" | "unchanged" | "refused";
  readonly lastReloadAtUnixMs?: number;
  /** Why it was refused. */
  readonly problems: readonly string[];
  /** Settings that were changed and hold from the next start on. */
  readonly needsRestart: readonly string[];
}

/** Where trouble may be coming, and what was done about it. */
export interface ForesightStatus {
  readonly warnings: readonly { readonly cell: string; readonly sign: string; readonly evidence: string }[];
  /** Newest first. */
  readonly measures: readonly {
    readonly cell: string;
    readonly knob: string;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
    readonly effect: string;
    readonly evidence: string;
  }[];
}

export interface ProcessStatus {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly cpuSeconds: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
}

/** The last two minutes, oldest first; the last entry is the running second. */
export interface TrafficStatus {
  readonly inWork: number;
  readonly sockets: number;
  readonly requestsPerSecond: readonly number[];
  readonly errorsPerSecond: readonly number[];
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number; readonly count: number };
}

/** What one cheap call found out. */
export interface ReachedStatus {
  readonly isReachable: boolean;
  readonly atUnixMs: number;
  readonly latencyMs?: number;
  readonly failure?: string;
}

export interface ProviderStatus {
  readonly reached?: ReachedStatus;
  readonly id: string;
  readonly type: string;
  readonly region: string;
  readonly models: readonly string[];
  readonly state: "healthy" | "degraded" | "unhealthy" | "unknown";
  readonly errorRate: number;
  readonly lastFailure?: string;
  readonly answers: number;
  readonly failures: number;
  readonly firstPartP50Ms?: number;
  readonly totalP50Ms?: number;
  readonly costUsd: number;
}

export interface SessionStatus {
  readonly open: number;
  readonly max: number;
}

export interface AnswerTotals {
  readonly good: number;
  readonly bad: number;
  readonly cancelled: number;
  readonly costUsd: number;
  /** Answers of models without a known price: their cost is missing from the sum, not zero. */
  readonly unpriced: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Decision {
  readonly atUnixMs: number;
  readonly requestId: string;
  readonly kind: string;
  readonly asked: string;
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
  readonly isCached: boolean;
  readonly outcome: string;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  readonly firstPartMs?: number;
  readonly totalMs: number;
  /** Undefined where the price is not known. */
  readonly costUsd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Changes of provider on the way: `primary/m1 -> backup/m2: rate_limited`. */
  readonly changes: readonly string[];
  readonly error?: string;
}

export interface ErrorNote {
  readonly atUnixMs: number;
  readonly code: string;
  readonly status: number;
  readonly route: string;
  readonly requestId: string;
}
