// The public surface of the browser SDK.
export type { ApplicationPicture, CameraKind, CameraOptions } from "./capture/camera.ts";
export type { VideoMount } from "./capture/camera-source.ts";
export type { ObjectDescription, ObserveOptions } from "./capture/scene-observer.ts";
export type { Microphone, MicrophoneOptions } from "./capture/microphone.ts";
export type * from "./fovea/client-events.ts";
export type { AskOptions, ConnectOptions, FoveaStats, RendererLike } from "./fovea/fovea.ts";
export { Fovea } from "./fovea/fovea.ts";
export type { Tool, ToolContext } from "./fovea/tools.ts";
export type { AnswerTurn, TurnPart } from "./fovea/turn.ts";
export { FoveaError } from "./gateway-connection.ts";
export type { ClientClock } from "./platform/client-clock.ts";
export type { Object3DLike } from "./platform/object-3d.ts";
export type { SocketConstructor, SocketLike } from "./platform/socket.ts";
export type { Caption, CaptionPresenter } from "./present/captions.ts";
export type { HapticDelivery, PlayOptions } from "./present/haptics.ts";
export type { ActionPresenter, SceneLookup } from "./present/presenter.ts";
