import { vectorOf } from "../answer-script.ts";
import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, objectOf, textOf, type Json } from "../json.ts";
import { PNG_BASE64, soundOf } from "../media.ts";

/** What a model is for follows from its name here, as it follows from its card there. */
const TASKS: readonly (readonly [RegExp, (call: Call, stage: Stage) => Reply])[] = [
  [/feature-extraction|bge|e5|minilm|embed/i, features],
  [/detr|yolo|detection/i, detection],
  [/mask|segment|segformer/i, segmentation],
  [/whisper|asr/i, (_call, stage) => jsonReply({ text: stage.answer.text ?? " You said something." })],
  [
    /flux|stable-diffusion|sdxl/i,
    () => ({ status: 200, contentType: "image/jpeg", body: Buffer.from(PNG_BASE64, "base64") }),
  ],
  [/tts|bark|kokoro|speech/i, speech],
  [
    /vit|resnet|classif/i,
    () =>
      jsonReply([
        { label: "cup", score: 0.93 },
        { label: "bowl", score: 0.04 },
      ]),
  ],
];

export function taskReply(call: Call, stage: Stage, model: string): Reply {
  if (call.method !== "POST") throw new Refusal({ status: 405, message: "Method Not Allowed" });
  const task = TASKS.find(([name]) => name.test(model))?.[1];
  if (task !== undefined) return task(call, stage);
  const prompt = textOf(objectOf(call.json)["inputs"]);
  return jsonReply([{ generated_text: stage.answer.text ?? `You said: ${prompt}` }]);
}

function features(call: Call, stage: Stage): Reply {
  const { inputs } = objectOf(call.json);
  const size = stage.answer.dimensions ?? 384;
  if (typeof inputs === "string") return jsonReply([...vectorOf(inputs, size)]);
  const texts = listOf(inputs);
  if (texts.length === 0)
    throw new Refusal({ status: 422, message: "Input should be a valid string or a list of strings" });
  return jsonReply(texts.map((text) => [...vectorOf(textOf(text), size)]));
}

/** Boxes in pixels of the picture that was sent, whose size nobody reads: 640 by 480 is assumed. */
function detection(call: Call, stage: Stage): Reply {
  if (call.bytes.length === 0) throw new Refusal({ status: 400, message: "no image given" });
  const scripted = stage.answer.extra?.["objects"];
  if (Array.isArray(scripted)) return jsonReply(scripted);
  return jsonReply([
    { score: 0.98, label: "cup", box: { xmin: 64, ymin: 48, xmax: 128, ymax: 144 } },
    { score: 0.87, label: "chair", box: { xmin: 320, ymin: 96, xmax: 576, ymax: 432 } },
  ]);
}

function segmentation(): Reply {
  return jsonReply([{ score: 0.97, label: "cup", mask: PNG_BASE64 }]);
}

function speech(_call: Call, stage: Stage): Reply {
  const { bytes } = soundOf("flac", stage.answer.audioMs ?? 200);
  return { status: 200, contentType: "audio/flac", body: bytes };
}

export function routerModels(stage: Stage): Json {
  const ids = stage.models.length === 0 ? ["openai/gpt-oss-20b", "meta-llama/Llama-3.3-70B-Instruct"] : stage.models;
  const data = ids.map((id) => ({
    id,
    object: "model",
    created: 1_754_000_000,
    owned_by: id.split("/")[0],
    architecture: { input_modalities: ["text"], output_modalities: ["text"] },
    providers: [
      {
        provider: "together",
        status: "live",
        context_length: 131_072,
        pricing: { input: 0.05, output: 0.2 },
        throughput: 180.5,
        first_token_latency_ms: 420,
        is_free: false,
        supports_tools: true,
        supports_structured_output: true,
      },
      { provider: "groq", status: "live", context_length: 131_072, first_token_latency_ms: 190, supports_tools: true },
    ],
  }));
  return { object: "list", data };
}
