// Rules EN70..EN75 of docs/spec/engine.md, on the double that stands for every provider in other tests: it must keep what
// real adapters keep.
import test from "node:test";
import { FakeClock, PROVIDER_CONTRACT, ScriptedProvider } from "@fovea/core/testing";
import type { ChatRequest } from "@fovea/core";

const asking = (text: string): ChatRequest => ({
  model: "m1",
  messages: [{ role: "user", content: [{ type: "text", text }] }],
});

for (const { title, run } of PROVIDER_CONTRACT) {
  test(`${title} (ScriptedProvider)`, () => {
    const adapter = new ScriptedProvider({
      clock: new FakeClock(),
      script: (request) => {
        const [part] = request.messages[0]?.content ?? [];
        const wish = part?.type === "text" ? part.text : "";
        if (wish === "tool") return [{ call: "paint", args: { colour: "red" } }];
        if (wish === "endless") return ["Wait", { hang: true }];
        return wish === "fail" ? [{ fail: "server_error" }] : ["Hello ", "there."];
      },
    });
    const requests = {
      words: asking("words"),
      toolCall: asking("tool"),
      endless: asking("endless"),
      failing: asking("fail"),
    };
    return run({ adapter, requests });
  });
}
