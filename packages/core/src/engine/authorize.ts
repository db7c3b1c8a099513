import { GatewayError } from "../errors/gateway-error.ts";
import type { Principal, Scope } from "../model/privacy.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { AuditSink } from "../ports/audit-sink.ts";

/** Throws `permission_denied` where the caller's scopes do not cover what is asked. */
export function authorize(request: XRRequest): void {
  requireScope(request.principal, scopeOf(request.kind));
}

export function requireScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.includes(scope) || principal.scopes.includes("admin")) return;
  throw new GatewayError("permission_denied", `this needs the scope '${scope}'`, { scope });
}

/** Throws `overloaded` where the trail cannot take a record and the operator wants no unrecorded work. */
export function requireAudit(audit: AuditSink): void {
  if (audit.isAccepting?.() !== false) return;
  throw new GatewayError("overloaded", "the audit trail cannot be written at the moment", { retryAfterMs: 5_000 });
}

function scopeOf(kind: XRRequest["kind"]): Scope {
  return kind === "turn" || kind === "spatial-query" || kind === "haptic" || kind === "render" ? "session" : "chat";
}
