import { anthropic } from "./anthropic/vendor.ts";
import { cohere } from "./cohere/vendor.ts";
import { custom } from "./custom/vendor.ts";
import type { ProviderName, Vendor } from "./exchange.ts";
import { google } from "./google/vendor.ts";
import { huggingFace } from "./huggingface/vendor.ts";
import { openAi } from "./openai/vendor.ts";
import { replicate } from "./replicate/vendor.ts";
import { together } from "./together/vendor.ts";
import { worldLabs } from "./worldlabs/vendor.ts";

const VENDORS: Readonly<Record<ProviderName, Vendor>> = {
  openai: openAi,
  anthropic,
  google,
  huggingface: huggingFace,
  cohere,
  replicate,
  together,
  custom,
  worldlabs: worldLabs,
};

export function vendorNamed(name: ProviderName): Vendor {
  return VENDORS[name];
}
