// Rules GE1..GE13 of docs/spec/gestures.md. A script is a list of [milliseconds, pose]; between poses the hand jumps.
// `play` samples it at 90 Hz and writes "name+" for a start and "name-" for an end, with the time where it is asked for.
import assert from "node:assert/strict";
import test from "node:test";
import type { GestureName } from "@fovea/core";
import type { HandPose } from "@fovea/core/testing";
import { handJoints, SeededRandom } from "@fovea/core/testing";
import type { GestureEvent, HandGestureName } from "@fovea/protocol/gestures";
import { HandGestures } from "@fovea/protocol/gestures";

const REST: HandPose = { curl: [0.1, 0.12, 0.13, 0.14, 0.15] };
const POSES: Readonly<Record<string, HandPose>> = {
  pinch: { curl: [0.2, 0.45, 0.3, 0.25, 0.2], pinchM: 0.01 },
  grab: { curl: [0.5, 0.68, 0.68, 0.68, 0.68], isThumbAcross: true },
  point: { curl: [0.2, 0, 1, 1, 1], isThumbAcross: true },
  "open-palm": { curl: [0, 0, 0, 0, 0], pitchRad: 1.4 },
  fist: { curl: [1, 1, 1, 1, 1], isThumbAcross: true },
  "thumbs-up": { curl: [0, 1, 1, 1, 1], rollRad: -1.57 },
  "thumbs-down": { curl: [0, 1, 1, 1, 1], rollRad: 1.57 },
  victory: { curl: [0, 0, 0, 1, 1], isThumbAcross: true, spreadRad: 0.35 },
};
const STEP_MS = 1_000 / 90;

type Script = readonly (readonly [durationMs: number, pose: HandPose | ((share: number) => HandPose) | "missing"])[];

interface Options {
  readonly gestures?: HandGestures;
  readonly noiseM?: number;
  readonly seed?: number;
  readonly change?: (pose: HandPose) => HandPose;
  readonly map?: (joints: Float32Array) => Float32Array;
}

function record(script: Script, options: Options = {}): GestureEvent[] {
  const gestures = options.gestures ?? new HandGestures();
  const random = new SeededRandom(options.seed ?? 1);
  const events: GestureEvent[] = [];
  let tMs = 0;
  let startMs = 0;
  for (const [durationMs, given] of script) {
    for (; tMs < startMs + durationMs; tMs += STEP_MS) {
      const pose = typeof given === "function" ? given((tMs - startMs) / durationMs) : given;
      const changed = pose === "missing" ? undefined : (options.change?.(pose) ?? pose);
      let joints = changed === undefined ? new Float32Array(75).fill(Number.NaN) : handJoints(changed);
      if (options.noiseM !== undefined)
        joints = joints.map((value) => value + random.gaussian() * (options.noiseM ?? 0));
      events.push(...gestures.fold(options.map?.(joints) ?? joints, tMs, changed?.isLeft === true ? "left" : "right"));
    }
    startMs += durationMs;
  }
  return events;
}

function text(events: readonly GestureEvent[], withTime = false): string {
  return events
    .filter((event) => event.phase !== "update")
    .map((event) => {
      const how = event.direction === undefined ? "" : `(${event.direction})`;
      return `${event.name}${how}${event.phase === "start" ? "+" : "-"}${withTime ? Math.round(event.tMs) : ""}`;
    })
    .join(" ");
}

function play(script: Script, options?: Options): string {
  return text(record(script, options));
}

test("[GE1] each pose starts and ends in time, and names itself", () => {
  for (const [name, pose] of Object.entries(POSES)) {
    const events = record([
      [500, REST],
      [600, pose],
      [500, REST],
    ]).filter((event) => event.name === name);
    const [start, ...rest] = events;
    const end = rest.at(-1);
    assert.ok(start?.phase === "start" && start.tMs <= 750, `${name}: ${text(events, true)}`);
    assert.ok(Math.abs(start.sinceMs - 500) < 15 && start.confidence >= 0.6, name);
    assert.ok(end?.phase === "end" && end.tMs <= 1_250, `${name}: ${text(events, true)}`);
    assert.ok(
      rest.slice(0, -1).every((event) => event.phase === "update"),
      name,
    );
  }
  assert.equal(
    play([
      [300, REST],
      [600, POSES["pinch"] as HandPose],
      [300, REST],
    ]),
    "pinch+ pinch-",
  );
  assert.equal(
    play([
      [300, REST],
      [600, POSES["point"] as HandPose],
      [300, REST],
    ]),
    "point+ point-",
  );
});

test("[GE2] hands at rest start nothing", () => {
  for (const curl of [0, 0.1, 0.2, 0.28]) {
    for (const spreadRad of [0, 0.05, 0.3]) {
      for (const pitchRad of [-1.5, -0.8, 0, 0.45]) {
        const pose: HandPose = { curl: [0.1, curl, curl, curl, curl], spreadRad, pitchRad };
        assert.equal(play([[800, pose]]), "", JSON.stringify(pose));
      }
    }
  }
});

test("[GE3] side, size, place and heading do not matter", () => {
  for (const [name, pose] of Object.entries(POSES)) {
    for (const scale of [0.75, 1.25]) {
      for (const yawRad of [0, 2, -2.5]) {
        for (const isLeft of [true, false]) {
          const position = [1.5, 0.8, -2] as const;
          const rollRad = (pose.rollRad ?? 0) * (isLeft ? -1 : 1);
          const changed = { ...pose, rollRad, scale, yawRad: rollRad === 0 ? yawRad : 0, isLeft, position };
          assert.ok(
            play([[600, changed]])
              .split(" ")
              .includes(`${name}+`),
            `${name} ${scale} ${yawRad} ${isLeft}`,
          );
        }
      }
    }
  }
});

test("[GE4] joint noise of 2 mm starts nothing and interrupts nothing", () => {
  for (let seed = 1; seed <= 5; seed++) {
    assert.equal(play([[4_000, REST]], { noiseM: 0.002, seed }), "", `seed ${seed}`);
    for (const name of ["pinch", "grab", "point", "fist", "victory"]) {
      const events = record([[3_000, POSES[name] as HandPose]], { noiseM: 0.002, seed });
      const own = events.filter((event) => event.name === name);
      assert.equal(text(own), `${name}+`, `seed ${seed}`);
    }
  }
});

test("[GE5] a held pinch does not flicker between the levels", () => {
  const pinch = POSES["pinch"] as HandPose;
  const script: Script = [
    [300, pinch],
    [500, { ...pinch, pinchM: 0.024 }],
    [200, pinch],
    [300, { ...pinch, pinchM: 0.04 }],
  ];
  assert.equal(play(script), "pinch+ pinch-");
  assert.equal(
    play([
      [300, REST],
      [500, { ...pinch, pinchM: 0.026 }],
    ]),
    "",
  );
});

test("[GE6] a short gap keeps the pinch, a long one or a lost hand ends it", () => {
  const pinch = POSES["pinch"] as HandPose;
  assert.equal(
    play([
      [300, pinch],
      [120, "missing"],
      [300, pinch],
    ]),
    "pinch+",
  );
  assert.equal(
    play([
      [300, pinch],
      [400, "missing"],
      [300, pinch],
    ]),
    "pinch+ pinch- pinch+",
  );
  const gestures = new HandGestures();
  record([[300, pinch]], { gestures });
  assert.equal(text(gestures.lost("right", 310)), "pinch-");
  assert.equal(text(gestures.lost("right", 320)), "");
});

test("[GE7] old samples are ignored", () => {
  const gestures = new HandGestures();
  gestures.fold(handJoints(REST), 1_000, "right");
  for (let tMs = 500; tMs <= 1_000; tMs += 10) {
    assert.equal(gestures.fold(handJoints(POSES["fist"] as HandPose), tMs, "right").length, 0);
  }
});

test("[GE8] a stored calibration recognises stiff fingers at once", () => {
  const stiff: HandPose = { curl: [0, 0.4, 1, 1, 1], pinchM: 0.06 };
  const calibration = { sizeM: 0.0955, reach: [1, 0.9, 0.9, 0.9, 0.9] };
  const confidence = (gestures: HandGestures): number =>
    record([[200, stiff]], { gestures }).find((event) => event.name === "point")?.confidence ?? 0;
  assert.ok(confidence(new HandGestures(calibration)) > 0.6);
  assert.ok(confidence(new HandGestures({ sizeM: 0.0955, reach: [1, 1, 1, 1, 1] })) < 0.6);
  const learned = new HandGestures();
  record([[4_000, { ...REST, scale: 1.2 }]], { gestures: learned });
  assert.ok(Math.abs(learned.calibration("right").sizeM / (0.0955 * 1.2) - 1) < 0.02);
});

/** The WebXR privacy text's way of rounding: every bone keeps its direction and gets the model's length. */
function toStaticModel(joints: Float32Array): Float32Array {
  const model = handJoints({ curl: [0, 0, 0, 0, 0], scale: 0.95 });
  const out = Float32Array.from(joints);
  for (let joint = 1; joint < 25; joint++) {
    const parent = joint === 1 || joint % 5 === 0 ? 0 : joint - 1;
    const own = [0, 1, 2].map((axis) => (joints[joint * 3 + axis] as number) - (joints[parent * 3 + axis] as number));
    const length = Math.hypot(...own);
    const wanted = Math.hypot(
      ...[0, 1, 2].map((a) => (model[joint * 3 + a] as number) - (model[parent * 3 + a] as number)),
    );
    for (let axis = 0; axis < 3; axis++) {
      const value = (out[parent * 3 + axis] as number) + ((own[axis] as number) * wanted) / length;
      out[joint * 3 + axis] = Math.round(value * 1_000) / 1_000;
    }
  }
  return out;
}

test("[GE9] the rounded hand gives the same poses", () => {
  for (const [name, pose] of Object.entries(POSES)) {
    for (const scale of [0.85, 1.1]) {
      const change = (given: HandPose): HandPose => ({ ...given, scale });
      const script: Script = [
        [400, REST],
        [600, pose],
      ];
      const exact = play(script, { change });
      assert.ok(exact.includes(`${name}+`));
      // The thumb's chain of the test hand bends with the pose, so a pinch is only kept as near as the model allows.
      if (name !== "pinch") assert.equal(play(script, { change, map: toStaticModel }), exact, `${name} ${scale}`);
    }
  }
});

test("[GE10] the names are the context's", () => {
  const toModel: (name: HandGestureName) => GestureName = (name) => name;
  const fromModel: (name: GestureName) => HandGestureName = (name) => name;
  assert.equal(fromModel(toModel("pinch")), "pinch");
});

const FLAT: HandPose = { curl: [0, 0, 0, 0, 0] };

function moved(pose: HandPose, x: number, y: number, z: number): HandPose {
  return { ...pose, position: [x, 1.2 + y, -0.4 + z] };
}

/** Minimum-jerk way, as hands move. */
function smooth(share: number): number {
  return share ** 3 * (10 - 15 * share + 6 * share * share);
}

function stroke(pose: HandPose, x: number, y: number, z: number): (share: number) => HandPose {
  return (share) => moved(pose, x * smooth(share), y * smooth(share), z * smooth(share));
}

test("[GE11] strokes of an open hand are swipes and pushes, once", () => {
  const swipe = (x: number, y: number, z: number, ms: number, pose = FLAT, yawRad = 0): string => {
    const gestures = new HandGestures();
    gestures.foldViewer([0, 1.6, 0, 0, Math.sin(yawRad / 2), 0, Math.cos(yawRad / 2)]);
    const script: Script = [
      [300, pose],
      [ms, stroke(pose, x, y, z)],
      [200, moved(pose, x, y, z)],
      [
        Math.max(400, ms),
        (share) => moved(pose, x * (1 - smooth(share)), y * (1 - smooth(share)), z * (1 - smooth(share))),
      ],
      [300, pose],
    ];
    return play(script, { gestures })
      .split(" ")
      .filter((word) => /^(swipe|push)/.test(word))
      .join(" ");
  };
  assert.equal(swipe(0.35, 0, 0, 300), "swipe(right)+ swipe(right)-");
  assert.equal(swipe(-0.35, 0.03, 0, 300), "swipe(left)+ swipe(left)-");
  assert.equal(swipe(0, 0.35, 0, 300), "swipe(up)+ swipe(up)-");
  assert.equal(swipe(0, -0.4, 0, 260), "swipe(down)+ swipe(down)-");
  assert.equal(swipe(0, 0, 0.35, 300, FLAT, Math.PI / 2), "swipe(left)+ swipe(left)-");
  assert.equal(swipe(0, 0, -0.35, 300, POSES["open-palm"]), "push(forward)+ push(forward)-");
  assert.equal(swipe(0, 0, -0.35, 300), "", "a reach: the fingers look forward, not the palm");
  assert.equal(swipe(0.35, 0, 0, 1_500), "", "slow");
  assert.equal(swipe(0.1, 0, 0, 150), "", "short");
  assert.equal(swipe(0.35, 0, 0, 300, POSES["pinch"]), "", "holding");
  assert.equal(swipe(0.3, 0.3, 0, 300), "", "diagonal");
});

test("[GE12] a full turn of the pointing finger is a circle", () => {
  const point = POSES["point"] as HandPose;
  const circle = (turns: number, radiusM: number, ms: number): GestureEvent[] =>
    record([
      [200, moved(point, 0, radiusM, 0)],
      [
        ms,
        (share) => {
          const angle = share * turns * 2 * Math.PI;
          return moved(point, radiusM * Math.sin(angle), radiusM * Math.cos(angle), 0);
        },
      ],
      [500, moved(point, 0, radiusM, 0)],
    ]).filter((event) => event.name === "circle");
  assert.equal(text(circle(2, 0.08, 1_600)), "circle+ circle-");
  assert.ok(Math.abs((circle(2, 0.08, 1_600).at(-1)?.value ?? 0) - 2) < 0.15);
  assert.ok(Math.abs((circle(-2, 0.08, 1_600).at(-1)?.value ?? 0) + 2) < 0.15);
  assert.equal(text(circle(0.7, 0.08, 600)), "");
  assert.equal(text(circle(0, 0.08, 600)), "");
  const zigzag = (share: number): HandPose => moved(point, 0.1 * Math.sin(share * 25), 0.03 * Math.sin(share * 11), 0);
  assert.equal(play([[2_000, zigzag]]), "point+");
});

test("[GE13] two holding hands scale and rotate", () => {
  const pinch = POSES["pinch"] as HandPose;
  const twoHands = (at: (share: number) => readonly [distanceM: number, angleRad: number]): GestureEvent[] => {
    const gestures = new HandGestures();
    const events: GestureEvent[] = [];
    for (let tMs = 0; tMs < 1_500; tMs += STEP_MS) {
      const [distanceM, angleRad] = at(Math.min(1, Math.max(0, (tMs - 200) / 1_000)));
      const x = (Math.cos(angleRad) * distanceM) / 2;
      const z = (-Math.sin(angleRad) * distanceM) / 2;
      const held = tMs < 1_350 ? pinch : REST;
      events.push(...gestures.fold(handJoints({ ...moved(pinch, -x, 0, -z), isLeft: true }), tMs, "left"));
      events.push(...gestures.fold(handJoints(moved(held, x, 0, z)), tMs + 1, "right"));
    }
    return events.filter((event) => event.handedness === "both");
  };
  const scaled = twoHands((share) => [0.3 + 0.3 * share, 0]);
  assert.equal(text(scaled), "two-hand-scale+ two-hand-scale-");
  assert.ok(Math.abs((scaled.at(-1)?.value ?? 0) - 2) < 0.1, String(scaled.at(-1)?.value));
  const turned = twoHands((share) => [0.4, 4 * share]);
  assert.equal(text(turned), "two-hand-rotate+ two-hand-rotate-");
  assert.ok(Math.abs((turned.at(-1)?.value ?? 0) - 4) < 0.15, String(turned.at(-1)?.value));
  assert.equal(text(twoHands((share) => [0.4 + 0.03 * share, 0.1 * share])), "");
});
