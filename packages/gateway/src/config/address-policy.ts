import { isIP } from "node:net";

/** Cloud metadata services answer on these names with credentials of the machine. */
const METADATA_NAMES = new Set(["metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal"]);
/** Alibaba, Oracle and Azure serve metadata outside the link-local range too. */
const METADATA_ADDRESSES = new Set(["100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"]);

/**
 * Why a base URL is refused unless `allowPrivateAddress` is set; undefined when it is fine. The operator's own networks
 * (loopback, 10/8, 192.168/16, …) are fine: models are often served there. The transport checks the connected address again.
 */
export function refusedAddress(baseUrl: string): string | undefined {
  const { hostname } = new URL(baseUrl);
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (METADATA_NAMES.has(host)) return "is a cloud metadata service";
  if (isIP(host) === 0) return undefined;
  const plain = mappedIpv4(host) ?? host;
  if (METADATA_ADDRESSES.has(plain)) return "is a cloud metadata service";
  if (plain.startsWith("169.254.")) return "is a link-local address (cloud metadata services answer there)";
  if (/^fe[89ab]/.test(plain)) return "is a link-local address";
  return plain === "0.0.0.0" || plain === "::" ? "is the unspecified address" : undefined;
}

/** The URL parser writes `::ffff:169.254.169.254` as `::ffff:a9fe:a9fe`. */
function mappedIpv4(host: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (match === null) return undefined;
  const high = Number.parseInt(match[1] ?? "0", 16);
  const low = Number.parseInt(match[2] ?? "0", 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** True for names and addresses that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  const plain = mappedIpv4(name) ?? name;
  return plain === "localhost" || plain.endsWith(".localhost") || plain === "::1" || /^127(\.\d{1,3}){3}$/.test(plain);
}
