// What a core does with the poses of many sessions, without sockets: decoding, keeping, looking (attention and gestures).
//   npm run bench -- stream-pipeline [sessions=1000] [hz=72] [seconds=4]
// Stages are timed over whole rounds of all sessions, so that each finds its memory as cold as it would be. Three claims:
// the cost of a sample does not grow with the number of sessions beyond what caches explain, a packet leaves no garbage
// for its joints, and at 60 % of the sessions a packet is done within 5 ms of its arrival in 99 of 100 cases. Times are those
// of the thread on its processor, so that other processes of the machine do not count.
import type { PoseSample } from "@fovea/protocol";
import { createPoseSample, decodePosePacket } from "@fovea/protocol";
import { SeededRandom, SessionDriver, sceneNode } from "@fovea/core/testing";
import { buildPosePackets, POSE_SOURCES } from "./pose-ingest/pose-packets.ts";

const [sessionsMax, hz, seconds] = [1_000, 72, 4].map((value, index) => Number(process.argv[index + 2] ?? value)) as [
  number,
  number,
  number,
];
const PACKETS = buildPosePackets(256);
const VIEWS = PACKETS.map((packet) => new DataView(packet.buffer));
const LOOK_EVERY_MS = 15;
const LOOKS_MAX = 64;
const sample: PoseSample = createPoseSample();
const POSE = { type: "pose", sample } as const;
const LOOK = { type: "look" } as const;

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

type Session = SessionDriver["session"];

function openSessions(count: number): Session[] {
  return Array.from({ length: count }, (_, seed) => {
    const driver = new SessionDriver({ looks: "by-round" });
    driver.hello({ inputSources: POSE_SOURCES });
    const random = new SeededRandom(seed);
    const place = (): [number, number, number] => [
      (random.next() - 0.5) * 6,
      random.next() * 2,
      (random.next() - 0.5) * 6,
    ];
    driver.room(...Array.from({ length: 40 }, (_, i) => sceneNode(`e${i}`, place(), {}, 0.2 + random.next())));
    return driver.session;
  });
}

function receive(session: Session, index: number, round: number, nowMs: number): void {
  const at = (index * 37 + round) & 255;
  (VIEWS[at] as DataView).setFloat64(2, nowMs, true);
  if (decodePosePacket(PACKETS[at] as Uint8Array, session.sourceTable, sample) !== undefined)
    throw new Error("bad packet");
}

interface Stages {
  readonly decodeNs: number;
  readonly keepNs: number;
  readonly lookNs: number;
  readonly totalNs: number;
  readonly bytes: number;
}

/** Rounds of all sessions: first some that only decode, then some that decode and keep, and look at whoever it is time for. */
function timeStages(sessions: readonly Session[], rounds: number, startMs: number): Stages {
  const spentMs = { decode: 0, keep: 0, look: 0 };
  let looks = 0;
  let nowMs = startMs;
  for (let round = 0; round < rounds; round++) {
    const before = cpuMs();
    sessions.forEach((session, index) => receive(session, index, round, nowMs));
    spentMs.decode += cpuMs() - before;
  }
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  for (let round = 0; round < rounds; round++) {
    nowMs += 1_000 / hz;
    const decoded = cpuMs();
    sessions.forEach((session, index) => {
      receive(session, index, round, nowMs);
      session.handle(POSE, nowMs);
    });
    const kept = cpuMs();
    for (const session of sessions) {
      if (!session.isLookDue) continue;
      looks++;
      session.handle(LOOK, nowMs);
    }
    spentMs.keep += kept - decoded;
    spentMs.look += cpuMs() - kept;
  }
  const packets = rounds * sessions.length;
  const bytes = (process.memoryUsage().heapUsed - heap) / packets;
  const perPacket = (ms: number): number => (ms * 1e6) / packets;
  return {
    decodeNs: perPacket(spentMs.decode),
    keepNs: perPacket(spentMs.keep - spentMs.decode),
    lookNs: (spentMs.look * 1e6) / looks,
    totalNs: perPacket(spentMs.keep + spentMs.look),
    bytes,
  };
}

/**
 * A queue on one core: packets arrive evenly, each takes the time the thread needs for it, looks come in rows of 64. Returns how long each took from its arrival to being kept, sorted.
 */
function measureDelay(sessions: readonly Session[], rate: number, forSeconds: number, startMs: number): Float64Array {
  const total = Math.floor(rate * forSeconds);
  const delays = new Float64Array(total);
  const waiting: Session[] = [];
  let nowMs = 0;
  let roundMs = Infinity;
  let rowMs = -Infinity;
  for (let packet = 0; packet < total;) {
    const dueMs = (packet / rate) * 1_000;
    const before = cpuMs();
    // What arrived during a row of looks comes first, as sockets do between two timers.
    if (roundMs <= Math.max(nowMs, dueMs) && dueMs > rowMs) {
      nowMs = Math.max(nowMs, roundMs);
      for (const session of waiting.splice(0, LOOKS_MAX)) session.handle(LOOK, startMs + nowMs);
      nowMs += cpuMs() - before;
      rowMs = nowMs;
      roundMs = waiting.length === 0 ? Infinity : nowMs;
      continue;
    }
    nowMs = Math.max(nowMs, dueMs);
    const session = sessions[packet % sessions.length] as Session;
    const wasDue = session.isLookDue;
    receive(session, packet % sessions.length, Math.floor(packet / sessions.length), startMs + nowMs);
    session.handle(POSE, startMs + nowMs);
    nowMs += cpuMs() - before;
    if (!wasDue && session.isLookDue && waiting.push(session) === 1) roundMs = nowMs + LOOK_EVERY_MS;
    delays[packet++] = nowMs - dueMs;
  }
  return delays.sort();
}

const counts = [sessionsMax / 4, sessionsMax / 2, sessionsMax].map(Math.floor);
console.log(`${PACKETS[0]?.length} bytes a packet, two hands, rooms of 40 things; medians of 5`);
console.log("sessions   decode ns   keep ns   look ns   total ns/packet   garbage B/packet   cores");
for (const count of counts) {
  const sessions = openSessions(count);
  const rounds = Math.max(9, Math.floor(60_000 / count));
  let startMs = 10_000;
  const all: Stages[] = [];
  for (let repeat = 0; repeat < 7; repeat++) {
    const stages = timeStages(sessions, rounds, startMs);
    startMs += (rounds + 20) * (1_000 / hz);
    if (repeat >= 2) all.push(stages);
  }
  const of = (name: keyof Stages): number => all.map((one) => one[name]).sort((a, b) => a - b)[2] as number;
  const cells = [of("decodeNs"), of("keepNs"), of("lookNs"), of("totalNs"), of("bytes")].map((value) =>
    value.toFixed(0),
  );
  console.log(
    [count, ...cells, ((of("totalNs") * count * hz) / 1e9).toFixed(2)]
      .map((cell) => String(cell).padStart(9))
      .join("  "),
  );
  if (count !== sessionsMax) continue;
  const rate = 0.6 * count * hz;
  const delays = measureDelay(sessions.slice(0, Math.floor(0.6 * count)), rate, seconds, startMs + 1_000);
  const at = (share: number): string => (delays[Math.floor(share * (delays.length - 1))] as number).toFixed(2);
  console.log(
    `delay at 60 % (${(rate / 1_000).toFixed(1)}k packets/s): p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (goal: at most 5), max ${at(1)} ms`,
  );
}
