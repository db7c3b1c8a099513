/** Unguessable identifiers where `secret` says so; otherwise unique within the process. */
export interface Ids {
  /** For example `turn_k3v9…`: prefix, underscore, body. */
  next(prefix: string): string;
  /** At least 128 bits from the platform's entropy, base64url. */
  secret(): string;
}
