// For applications that draw with three. three is an optional peer: only this entry imports it.
export type { CaptionsOptions } from "./three-captions.ts";
export { ThreeCaptions } from "./three-captions.ts";
export type { HighlighterOptions } from "./three-highlighter.ts";
export { threeHighlighter, ThreeHighlighter } from "./three-highlighter.ts";
