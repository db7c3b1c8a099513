import type { Cost, Job, JobRequest, Principal, ProviderType } from "@fovea/core";

/** What the gateway keeps of a job: whose it is, where it runs, and what was last heard of it. */
export interface JobRecord {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly providerId: string;
  readonly providerType: ProviderType;
  readonly model: string;
  readonly kind: JobRequest["kind"];
  readonly vendorJobId: string;
  readonly createdUnixMs: number;
  readonly askedUnixMs: number;
  readonly endedUnixMs?: number;
  readonly job: Job;
  readonly cost?: Cost;
}

export function isOver(job: Job): boolean {
  return job.state === "succeeded" || job.state === "failed" || job.state === "cancelled";
}

export function recordKey(principal: Pick<Principal, "tenantId">, id: string): string {
  return `job:${principal.tenantId}:${id}`;
}

/** By what the vendor calls it, for what the vendor sends of its own accord. */
export function referenceKey(providerId: string, vendorJobId: string): string {
  return `job-at:${providerId}:${vendorJobId}`;
}

export function parseRecord(text: string): JobRecord {
  return JSON.parse(text) as JobRecord;
}
