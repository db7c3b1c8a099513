import type { ProviderName, Vendor } from "./exchange.ts";
import { openAi } from "./openai/vendor.ts";

const VENDORS: Readonly<Partial<Record<ProviderName, Vendor>>> = { openai: openAi };

export function vendorNamed(name: ProviderName): Vendor {
  const vendor = VENDORS[name];
  if (vendor === undefined) throw new RangeError(`the emulator has no vendor "${name}"`);
  return vendor;
}
