// The floor: a ws server that decodes every pose packet into a scratch sample and does nothing with it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createPoseSample, decodePosePacket, parseClientMessage, SourceTable } from "@fovea/protocol";
import { WebSocketServer } from "ws";
import { reportCpu } from "./report-cpu.ts";

const sample = createPoseSample();
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false, skipUTF8Validation: true });
let packets = 0;

sockets.on("connection", (socket) => {
  const table = new SourceTable();
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) {
      if (decodePosePacket(data, table, sample) === undefined) packets++;
      return;
    }
    const parsed = parseClientMessage(data.toString());
    if (parsed.outcome !== "message" || parsed.message.type !== "hello") return;
    for (const source of parsed.message.inputSources) table.set(source);
    socket.send('{"type":"welcome"}');
  });
});

server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
reportCpu(() => packets);
