/** Version of the wire that this package speaks. A gateway refuses any other with close code 4406 and the reason. */
export const PROTOCOL_VERSION = 1;

/** WebSocket sub-protocol name of version 1, for gateways behind proxies that route by sub-protocol. */
export const SUBPROTOCOL = "fovea.v1";
