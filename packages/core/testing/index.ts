// Doubles and contract suites for those who embed the engine or write an adapter.
export type * from "./contract-case.ts";
export { CountingIds } from "./counting-ids.ts";
export { FakeClock, settle } from "./fake-clock.ts";
export type * from "./hand-model.ts";
export { handJoints } from "./hand-model.ts";
export type * from "./hand-movements.ts";
export { MOVEMENTS, performMovement } from "./hand-movements.ts";
export { MemoryLog } from "./memory-log.ts";
export { MemoryStore } from "../src/ports/memory-store.ts";
export { SeededRandom } from "./seeded-random.ts";
export type * from "./engine-doubles.ts";
export { answerLine, chatRequest, engineDoubles, LOCAL_PRINCIPAL, MemoryMeter } from "./engine-doubles.ts";
export type * from "./scripted-provider.ts";
export { ScriptedProvider } from "./scripted-provider.ts";
export { STORE_CONTRACT } from "./store-contract.ts";
export type { StoreSubject } from "./store-contract.ts";
export { dataFolder, fillSample, loadQuest3, QUEST3_PATH, skipWithout } from "./recordings.ts";
export type * from "./recordings.ts";
export type * from "./plain-room.ts";
export { plainContext, plainEntity, plainSnapshot } from "./plain-room.ts";
export {
  askMessage,
  FULL_CONSENT,
  helloMessage,
  messageLine,
  outputLine,
  PARTS,
  sceneNode,
  SessionDriver,
  sourceDescription,
} from "./session-driver.ts";
export type * from "./session-driver.ts";
export type * from "./provider-contract.ts";
export { PROVIDER_CONTRACT } from "./provider-contract.ts";
export { loadMeshedRoom, loadScannedMesh, loadScannedRoom, SCANNED_ROOMS } from "./scanned-rooms.ts";
export type { ScannedMesh } from "./scanned-rooms.ts";
