// docs/specification-map.md says where each specified name lives. Every line must point to a file that has the name,
// and an interface is listed either with all its methods or not at all.
import assert from "node:assert/strict";
import test from "node:test";
import { exists, read, sourceFiles } from "./sources.ts";

/** The contracts of the specification: a closed list, the only names with the prefix I. */
const CONTRACTS: Readonly<Record<string, readonly string[]>> = {
  IProviderAdapter: [
    "type",
    "supportedFeatures",
    "chat",
    "chatStream",
    "embeddings",
    "healthCheck",
    "getAvailableModels",
    "getRateLimits",
  ],
  IProviderFactory: ["createProvider", "getSupportedTypes", "validateConfig"],
  IXRProviderAdapter: [
    "processXRContext",
    "handleSpatialQueries",
    "generateHapticResponses",
    "processMultiModalInput",
    "generateMultiModalResponse",
    "startXRSession",
    "endXRSession",
  ],
  IXRProviderFactory: [
    "createXRProvider",
    "getXRSupportedTypes",
    "createMultiProviderSetup",
    "optimizeProviderSelection",
    "balanceLoad",
    "monitorProviderPerformance",
  ],
  IProviderMesh: [
    "addProvider",
    "removeProvider",
    "getProviderStatus",
    "routeRequest",
    "handleProviderFailure",
    "optimizeRouting",
    "balanceLoad",
  ],
  IXRCacheManager: [
    "cacheSpatialData",
    "getCachedSpatialData",
    "predictFutureContexts",
    "preloadPredictedData",
    "cacheMultiResolutionData",
    "getOptimalResolution",
  ],
  IXRStreamProcessor: [
    "createStream",
    "processStream",
    "enableRealTimeProcessing",
    "setLatencyTarget",
    "synchronizeStreams",
    "fuseMultiModalStreams",
  ],
  IProviderResilienceManager: [
    "detectProviderFailure",
    "analyzeFailurePattern",
    "initiateFailover",
    "implementGracefulDegradation",
    "predictPotentialFailures",
    "implementPreventiveMeasures",
  ],
  IXRMonitoringService: [
    "collectMetrics",
    "trackProviderPerformance",
    "analyzePerformanceTrends",
    "predictBottlenecks",
    "setAlertThresholds",
    "handlePerformanceAlerts",
  ],
  IProviderScalingManager: [
    "shouldScaleUp",
    "shouldScaleDown",
    "scaleUpProvider",
    "scaleDownProvider",
    "distributeLoad",
    "optimizeProviderAllocation",
  ],
  IXRSecurityManager: [
    "authenticateXRContext",
    "validateUserPermissions",
    "encryptSpatialData",
    "protectMultiModalData",
    "ensureCompliance",
    "generateAuditTrail",
  ],
};
/** Nouns of the specification that carry the prefix without being contracts of behaviour. */
const NOUNS = ["IAIProvider", "IXRProvider", "IXREventHandler"];

const LINE = /^\|\s*`?([A-Za-z]+)(?:\.([A-Za-z]+))?`?\s*\|\s*`?([^\s|`]+)`?/gm;
const lines = exists("docs/specification-map.md")
  ? [...read("docs/specification-map.md").matchAll(LINE)]
      .filter((match) => match[3]?.includes("/"))
      .map((match) => ({ name: match[1] as string, method: match[2], path: match[3] as string }))
  : [];

test("every line of the map points to a file that has the name", () => {
  const wrong = lines.filter(({ name, method, path }) => !exists(path) || !read(path).includes(method ?? name));
  assert.deepEqual(wrong, []);
});

test("a specified interface is mapped with all its methods or not at all", () => {
  const partly: string[] = [];
  for (const [name, methods] of Object.entries(CONTRACTS)) {
    const mapped = new Set(
      lines.filter((line) => line.name === name && line.method !== undefined).map((line) => line.method),
    );
    if (mapped.size === 0) continue;
    for (const method of methods) if (!mapped.has(method)) partly.push(`${name}.${method}`);
    for (const method of mapped)
      if (!methods.includes(method as string)) partly.push(`${name}.${method} is not in the specification`);
  }
  assert.deepEqual(partly, []);
});

test("only the contracts of the specification carry the prefix I", () => {
  const allowed = new Set([...Object.keys(CONTRACTS), ...NOUNS]);
  const wrong: string[] = [];
  for (const path of sourceFiles()) {
    for (const match of read(path).matchAll(/\b(?:interface|type|class)\s+(I[A-Z][a-z]?\w*)/g)) {
      const name = match[1] as string;
      if (
        /^I[A-Z]{1,2}[a-z]|^IXR|^IAI/.test(name) &&
        !allowed.has(name) &&
        !/^I(?:ds|dentif|mage|nput|ndex|nside)/.test(name)
      )
        wrong.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});
