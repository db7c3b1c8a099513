import { DifficultyLearner } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

/** `score` {id, prompt} -> {score}: higher needs the strong model; `feedback` {id, weak, strong}: who was right, 0 or 1. */
export function modelChoiceOps(): AdapterOps {
  let learner = new DifficultyLearner();
  return {
    reset: () => {
      learner = new DifficultyLearner();
      return undefined;
    },
    score: (line) => ({ score: learner.score(String(line["id"]), String(line["prompt"])) }),
    feedback: (line) => {
      learner.feedback(String(line["id"]), Number(line["weak"]), Number(line["strong"]));
      return undefined;
    },
  };
}
