// The three ways a conversation can be held behind a door, each with a tool call first and long talk afterwards.
import type { DoorGatewayOptions } from "./door-gateway.ts";

export const LONG = "The cup that you look at is red and stands on the table near the window. ".repeat(8);
export const OPENAI_MODEL = "gpt-realtime-2.1-mini";

const LOOKS = { toolCalls: [{ name: "look", arguments: { at: "cup" } }] };

const TOOL_THEN_TALK = [
  { when: { method: "RESPONSE", attempts: 1 }, answer: LOOKS },
  { when: { method: "RESPONSE" }, answer: { text: LONG }, delay: { tokenMs: 20 } },
];

export const BRIDGED: DoorGatewayOptions = {
  vendors: { openai: { type: "openai", models: [OPENAI_MODEL], scenario: { rules: TOOL_THEN_TALK } } },
};

export const OVER_GEMINI: DoorGatewayOptions = {
  vendors: { google: { type: "google", models: ["gemini-live-x"], scenario: { rules: TOOL_THEN_TALK } } },
};

/** The gateway's own: a chat model, a recogniser and a voice. */
export const CASCADE: DoorGatewayOptions = {
  vendors: {
    openai: {
      type: "openai",
      models: ["gpt-5.4-mini", "gpt-4o-mini-tts", "whisper-1"],
      scenario: {
        rules: [
          // A guess may be asked and dropped: what was asked before says nothing, only what the conversation holds.
          {
            when: { path: "*/chat/completions", bodyContains: '"role":"tool"' },
            answer: { text: LONG },
            delay: { tokenMs: 10 },
          },
          { when: { path: "*/chat/completions" }, answer: LOOKS },
          { when: { path: "*/audio/transcriptions" }, answer: { text: "what is this" } },
          { when: { path: "*/audio/speech" }, answer: { audioMs: 4_000 } },
        ],
      },
    },
  },
};

export const SETUPS = [
  ["a vendor's realtime model", BRIDGED, `openai/${OPENAI_MODEL}`],
  ["another vendor's realtime model", OVER_GEMINI, "google/gemini-live-x"],
  ["the gateway's own voice", CASCADE, "openai/gpt-5.4-mini"],
] as const;
