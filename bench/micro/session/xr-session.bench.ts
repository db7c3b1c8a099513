// One pose packet of a head and two hands through decoding and the whole session; `npm run bench -- session`.
import { createPoseSample, decodePosePacket, encodePosePacket, SourceTable } from "@fovea/protocol";
import { SessionDriver, sceneNode, sourceDescription } from "@fovea/core/testing";

const SOURCES = [
  sourceDescription(1, { handedness: "left", hand: true, buttons: 1 }),
  sourceDescription(2, { handedness: "right", hand: true, buttons: 1 }),
];
const sample = createPoseSample();
const bytes = new Uint8Array(2_048);
let driver = new SessionDriver();
let size = 0;

/** `size` times 40 entities. */
export function setup(scale: number): void {
  driver = new SessionDriver();
  driver.hello({ inputSources: SOURCES });
  const nodes = Array.from({ length: scale * 40 }, (_, i) =>
    sceneNode(`e${i}`, [(i % 8) - 4, (i % 3) * 0.6, -1 - (i % 5)]),
  );
  for (let from = 0; from < nodes.length; from += 1_000) driver.room(...nodes.slice(from, from + 1_000));
  const table = new SourceTable();
  for (const source of SOURCES) table.set(source);
  const told = createPoseSample();
  told.viewer.set([0, 1.6, 0, 0, 0, 0, 1]);
  told.sourceCount = 2;
  for (let hand = 0; hand < 2; hand++) {
    const source = told.sources[hand];
    if (source === undefined) continue;
    source.id = hand + 1;
    source.hasTargetRay = true;
    source.targetRay.set([hand - 0.5, 1.2, -0.3, 0, 0, 0, 1]);
    source.hasHand = true;
    source.buttonCount = 1;
    source.jointOrientations[3] = 1;
    for (let joint = 0; joint < 25; joint++) {
      source.joints.set([hand - 0.5 + joint * 0.003, 1.2, -0.3 - ((joint + 4) % 5) * 0.03], joint * 3);
    }
  }
  const written = encodePosePacket(told, table, bytes);
  size = typeof written === "number" ? written : 0;
}

export function run(): number {
  driver.clock.advance(33);
  new DataView(bytes.buffer).setFloat64(2, driver.clientMs, true);
  const error = decodePosePacket(bytes.subarray(0, size), driver.session.sourceTable, sample);
  if (error !== undefined) throw new Error(`${error.field}: ${error.message}`);
  return driver.session.handle({ type: "pose", sample }, driver.clock.monotonicMs()).length;
}
