// Jobs that take time: they wait, run, and end as the scenario says, by the stage's clock and not by a timer.
import type { Stage } from "./exchange.ts";
import type { Json } from "./json.ts";

export type JobState = "queued" | "running" | "succeeded" | "failed" | "canceled";

export interface JobRecord {
  readonly id: string;
  readonly model: string;
  readonly input: Json;
  readonly createdMs: number;
  readonly createdUnixMs: number;
  readonly durationMs: number;
  readonly outcome: "succeeded" | "failed" | "canceled";
  readonly filesExpireMs: number;
  canceledMs: number | undefined;
}

/** What Replicate keeps: an hour. */
const FILES_EXPIRE_MS = 3_600_000;

export function startJob(
  stage: Stage,
  job: { readonly id: string; readonly model: string; readonly input: Json },
): JobRecord {
  const record: JobRecord = {
    ...job,
    createdMs: stage.nowMs,
    createdUnixMs: stage.unixMs,
    durationMs: stage.answer.jobMs ?? 0,
    outcome: stage.answer.jobOutcome ?? "succeeded",
    filesExpireMs: stage.answer.filesExpireMs ?? FILES_EXPIRE_MS,
    canceledMs: undefined,
  };
  stage.memory.set(`job:${record.id}`, record);
  return record;
}

export function jobNamed(stage: Stage, id: string): JobRecord | undefined {
  return stage.memory.get(`job:${id}`) as JobRecord | undefined;
}

export function jobsOf(stage: Stage): readonly JobRecord[] {
  return [...stage.memory]
    .filter(([key]) => key.startsWith("job:"))
    .map(([, job]) => job as JobRecord)
    .reverse();
}

/** The first tenth of its time a job waits. */
export function stateOf(job: JobRecord, nowMs: number): JobState {
  const endMs = job.createdMs + job.durationMs;
  if (job.canceledMs !== undefined && job.canceledMs < endMs) return "canceled";
  if (nowMs >= endMs) return job.outcome;
  return nowMs < job.createdMs + job.durationMs / 10 ? "queued" : "running";
}

export function fractionOf(job: JobRecord, nowMs: number): number {
  return job.durationMs === 0 ? 1 : Math.max(0, Math.min(1, (nowMs - job.createdMs) / job.durationMs));
}

/** Whether the files of a finished job have been deleted. */
export function isExpired(job: JobRecord, nowMs: number): boolean {
  return nowMs >= job.createdMs + job.durationMs + job.filesExpireMs;
}
