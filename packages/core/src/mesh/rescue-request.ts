// How the next model is asked to finish what another one began: in a user message, which every provider takes. An
// assistant prefill is refused by some models and corrupts tool calls on others.
import type { ChatRequest, Message } from "../model/chat.ts";
import type { Delivery } from "./delivery.ts";

/** Text and done calls of a broken answer, put into the request. Structured output is asked for anew, as it was. */
export function rescueRequest(request: ChatRequest, delivery: Delivery, isStructured: boolean): ChatRequest {
  if (delivery.isEmpty || (isStructured && delivery.calls.length === 0)) return request;
  const note = noteOf(delivery);
  const last = request.messages.at(-1);
  // Some models insist that roles alternate: the note joins the user's message where that is the last one.
  const messages: readonly Message[] =
    last?.role === "user"
      ? [...request.messages.slice(0, -1), { ...last, content: [...last.content, { type: "text", text: note }] }]
      : [...request.messages, { role: "user", content: [{ type: "text", text: note }] }];
  return { ...request, messages };
}

function noteOf(delivery: Delivery): string {
  const lines = ["[The answer to this was interrupted. The user has already received the part between the marks."];
  if (delivery.text !== "") {
    lines.push(
      delivery.unit === "token"
        ? "It may stop in the middle of a sentence or of a word. Go on with the very next characters, so that both parts" +
            " joined read as one text. Do not repeat, do not start again, do not mention the interruption.]"
        : "Go on with the next sentence. Do not repeat, do not start again, do not mention the interruption.]",
      `<received>${delivery.text}</received>`,
    );
  } else lines.push("Do not mention the interruption.]");
  if (delivery.calls.length > 0) {
    const done = delivery.calls.map((call) => `${call.name}(${call.args})`).join("; ");
    lines.push(`[These tools were called already, do not call them again with the same arguments: ${done}]`);
  }
  return lines.join("\n");
}
