// Which addresses a provider call may reach. The check is on the address connected to, not on the name: a name can
// resolve to a metadata service after the configuration was read. Redirects are never followed, so one check suffices.
import { BlockList, isIP, type LookupFunction } from "node:net";
import { lookup as resolveName } from "node:dns";

export type AddressKind = "public" | "loopback" | "private" | "link-local" | "metadata" | "reserved";

/** `public` allows public addresses alone; `loopback` also this machine; `local` also the operator's own network; `any` everything. */
export type AddressPolicy = "public" | "loopback" | "local" | "any";

type Range = readonly [address: string, bits: number];

const RANGES: readonly (readonly [AddressKind, readonly Range[]])[] = [
  // Instance metadata services: AWS, Azure, Google, Oracle (first), AWS on IPv6, Alibaba, Azure wire server.
  [
    "metadata",
    [
      ["169.254.169.254", 32],
      ["fd00:ec2::254", 128],
      ["100.100.100.200", 32],
      ["168.63.129.16", 32],
    ],
  ],
  [
    "loopback",
    [
      ["127.0.0.0", 8],
      ["::1", 128],
    ],
  ],
  [
    "link-local",
    [
      ["169.254.0.0", 16],
      ["fe80::", 10],
    ],
  ],
  [
    "private",
    [
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["100.64.0.0", 10],
      ["fc00::", 7],
    ],
  ],
  [
    "reserved",
    [
      ["0.0.0.0", 8],
      ["192.0.0.0", 24],
      ["192.0.2.0", 24],
      ["198.18.0.0", 15],
      ["198.51.100.0", 24],
      ["203.0.113.0", 24],
      ["224.0.0.0", 4],
      ["240.0.0.0", 4],
      ["::", 128],
      ["ff00::", 8],
      ["2001:db8::", 32],
    ],
  ],
];

const LISTS: readonly (readonly [AddressKind, BlockList])[] = RANGES.map(([kind, ranges]) => {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 6 ? "ipv6" : "ipv4");
  return [kind, list];
});

/** IPv4 addresses carried inside IPv6 ones (mapped, translated, tunnelled) are judged as the IPv4 address. */
export function addressKind(address: string): AddressKind {
  const plain = address.replace(/%.*$/, "");
  const version = isIP(plain);
  if (version === 0) return "reserved";
  const inner = version === 6 ? embeddedIPv4(plain) : undefined;
  const judged = inner ?? plain;
  const family = inner === undefined && version === 6 ? "ipv6" : "ipv4";
  return LISTS.find(([, list]) => list.check(judged, family))?.[0] ?? "public";
}

export function isAllowed(kind: AddressKind, policy: AddressPolicy): boolean {
  if (kind === "public" || policy === "any") return true;
  if (kind === "loopback") return policy === "loopback" || policy === "local";
  return kind === "private" && policy === "local";
}

/** Groups of an IPv6 address, `::` and a dotted tail written out. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":").map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return left;
  const right = tail === "" ? [] : tail.split(":").map((group) => Number.parseInt(group, 16));
  return [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}

function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const dotted = (high: number, low: number): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const [g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0] = groups;
  const isZeroTo4 = g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0 && g4 === 0;
  if (isZeroTo4 && (g5 === 0xffff || (g5 === 0 && (g6 !== 0 || g7 > 1)))) return dotted(g6, g7);
  if (g0 === 0x64 && g1 === 0xff9b) return dotted(g6, g7);
  if (g0 === 0x2002) return dotted(g1, g2);
  return undefined;
}

/** Endings of names that exist only inside a network: mDNS, RFC 8375, ICANN's private-use name, cluster DNS, routers. */
const LOCAL_NAME = /\.(?:local|internal|home\.arpa|lan|svc)$/;

/**
 * What a base URL may reach. A model server of one's own usually stands in one's own network, so a URL that says so, by a
 * private address, a name without dots or a name with a local ending, may reach private addresses. A public name may not:
 * what it resolves to is somebody else's choice. Loopback is reached only where the URL itself names it.
 */
export function addressPolicyOf(url: URL, allowPrivateAddress: boolean): AddressPolicy {
  if (allowPrivateAddress) return "any";
  const host = bareHost(url).replace(/\.$/, "");
  const isLoopbackName = host === "localhost" || host.endsWith(".localhost");
  if (isIP(host) === 0) {
    if (isLoopbackName) return "loopback";
    return !host.includes(".") || LOCAL_NAME.test(host) ? "local" : "public";
  }
  const kind = addressKind(host);
  if (kind === "loopback") return "loopback";
  return kind === "private" ? "local" : "public";
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

const METADATA_NAMES: ReadonlySet<string> = new Set(["metadata.google.internal", "metadata", "instance-data"]);

/** Why a base URL is refused, or undefined. Names are only judged when they resolve, at connection. */
export function explainBaseUrl(text: string, allowPrivateAddress = false): string | undefined {
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return `has the scheme ${url.protocol} (http or https is needed)`;
  if (url.username !== "" || url.password !== "") return "carries a user name or password";
  if (url.search !== "" || url.hash !== "") return "carries a query or fragment";
  const host = bareHost(url);
  if (!allowPrivateAddress && METADATA_NAMES.has(host.replace(/\.$/, ""))) return "names an instance metadata service";
  if (isIP(host) === 0) return undefined;
  const kind = addressKind(host);
  return isAllowed(kind, addressPolicyOf(url, allowPrivateAddress)) ? undefined : `points at a ${kind} address`;
}

/** A DNS lookup that yields allowed addresses alone, for the socket that is about to be opened. */
export function guardedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, "", 0);
        return;
      }
      const allowed = addresses.filter(({ address }) => isAllowed(addressKind(address), policy));
      const first = allowed[0];
      if (first === undefined) callback(refusedAddress(hostname), "", 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

export function refusedAddress(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} is at an address this provider may not reach`), { code: "ADDRESS_REFUSED" });
}
