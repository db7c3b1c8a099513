import type { Found } from "../compose.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { VENDORS } from "../config/vendors.ts";

/** What `npm start` prints for a person: what was found, what could be added, and where to go. Never a key. */
export function foundLines(config: ResolvedConfig, found: Found, url: string): string[] {
  const missing = VENDORS.filter((vendor) => !config.providers.some((provider) => provider.type === vendor.type));
  const hints = missing.map((vendor) => (vendor.isKeyOptional ? vendor.baseUrlVariable : vendor.keyVariable));
  return [
    "",
    `  Fovea ${found.version} is running on ${url}`,
    "",
    `  demo        ${url}/`,
    `  dashboard   ${url}/dashboard`,
    `  OpenAI API  ${url}/v1`,
    "",
    ...config.providers.map(
      (provider, index) => `  ${index === 0 ? "providers" : "         "}   ${providerLine(provider)}`,
    ),
    ...(hints.length === 0
      ? []
      : [`              set ${hints.slice(0, 3).join(", ")}${hints.length > 3 ? " …" : ""} to add more`]),
    `  speech      ${found.speechPrograms.length === 0 ? "none of espeak-ng, flite, pocketsphinx is installed" : found.speechPrograms.join(", ")}`,
    `  store       ${found.store}`,
    `  settings    ${config.filePath ?? "defaults (no fovea.yaml)"}; \`npx fovea doctor\` explains them`,
    "",
  ];
}

function providerLine(provider: ResolvedConfig["providers"][number]): string {
  if (provider.type === "embedded") return `${provider.id} (built in: answers over room geometry, needs no key)`;
  const vendor = VENDORS.find((candidate) => candidate.type === provider.type);
  const key = provider.apiKey === undefined ? "no key" : "key found";
  return `${provider.id} (${vendor?.name ?? provider.type}, ${key}${provider.baseUrl === undefined ? "" : `, ${provider.baseUrl}`})`;
}
