import { GatewayError } from "../errors/gateway-error.ts";
import type { Principal, Scope } from "../model/privacy.ts";
import type { XRRequest } from "../model/xr-request.ts";

/** Throws `permission_denied` where the caller's scopes do not cover what is asked. */
export function authorize(request: XRRequest): void {
  requireScope(request.principal, scopeOf(request.kind));
}

export function requireScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.includes(scope) || principal.scopes.includes("admin")) return;
  throw new GatewayError("permission_denied", `this needs the scope '${scope}'`, { scope });
}

function scopeOf(kind: XRRequest["kind"]): Scope {
  return kind === "turn" || kind === "spatial-query" || kind === "haptic" || kind === "render" ? "session" : "chat";
}
