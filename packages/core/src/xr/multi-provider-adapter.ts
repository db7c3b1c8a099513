import type { MultiModalInput, MultiModalOutput } from "../model/xr-adapter-types.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type {
  DetectionRequest,
  DetectionResponse,
  Job,
  JobRequest,
  SpeechRequest,
  SpeechResponse,
} from "../providers/capabilities.ts";
import { hasCapability } from "../providers/capabilities.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { LiftParts } from "./lifted-adapter.ts";
import { LiftedAdapter } from "./lifted-adapter.ts";

export type MultiProviderRole = "language" | "vision" | "speech" | "rendering";

/** Specification: MultiProviderAdapter. One provider to the outside, several behind it, each for what it is good at. */
export interface MultiProviderAdapter extends IXRProviderAdapter {
  readonly roles: ReadonlyMap<MultiProviderRole, string>;
  detect(request: DetectionRequest, options?: CallOptions): Promise<DetectionResponse>;
  speak(request: SpeechRequest, options?: CallOptions): Promise<SpeechResponse>;
  render(request: JobRequest, options?: CallOptions): Promise<Job>;
}

/** Words come from the language provider; hearing and speaking, seeing and rendering from those that have the role. */
export class RoleAdapter extends LiftedAdapter implements MultiProviderAdapter {
  readonly roles: ReadonlyMap<MultiProviderRole, string>;
  readonly #setupId: string;
  readonly #adapters: ReadonlyMap<MultiProviderRole, IXRProviderAdapter>;

  constructor(
    setupId: string,
    language: IXRProviderAdapter,
    adapters: ReadonlyMap<MultiProviderRole, IXRProviderAdapter>,
    parts: LiftParts,
  ) {
    super(language, parts);
    this.#setupId = setupId;
    this.#adapters = adapters;
    this.roles = new Map([...adapters].map(([role, adapter]) => [role, adapter.id]));
  }

  /** What was said is heard by the speech provider, what is meant is answered by the language provider. */
  override async processMultiModalInput(input: MultiModalInput): Promise<MultiModalOutput> {
    const speech = this.#adapters.get("speech");
    if (input.audio === undefined || speech === undefined || !hasCapability(speech, "transcribe")) {
      return super.processMultiModalInput(input);
    }
    const { audio, ...rest } = input;
    const model = speech.models().find((item) => item.features.includes("transcribe"))?.id ?? "default";
    const heard = await speech.transcribe({ model, audio: { bytes: audio.bytes, mime: audio.mime }, wantWords: true });
    const output = await super.processMultiModalInput({ ...rest, text: heard.text });
    const words = (heard.words ?? []).map((word) => ({
      text: word.text,
      startMs: audio.startMs + word.startMs,
      endMs: audio.startMs + word.endMs,
    }));
    return { ...output, words };
  }

  detect(request: DetectionRequest, options?: CallOptions): Promise<DetectionResponse> {
    const adapter = this.#withRole("vision");
    if (hasCapability(adapter, "vision")) return adapter.detect(request, options);
    throw this.#unable("vision", adapter);
  }

  speak(request: SpeechRequest, options?: CallOptions): Promise<SpeechResponse> {
    const adapter = this.#withRole("speech");
    if (hasCapability(adapter, "speak")) return adapter.speak(request, options);
    throw this.#unable("speak", adapter);
  }

  render(request: JobRequest, options?: CallOptions): Promise<Job> {
    const adapter = this.#withRole("rendering");
    if (hasCapability(adapter, "job")) return adapter.startJob(request, options);
    throw this.#unable("job", adapter);
  }

  override async close(): Promise<void> {
    for (const adapter of new Set(this.#adapters.values())) await adapter.close();
  }

  #withRole(role: MultiProviderRole): IXRProviderAdapter {
    const adapter = this.#adapters.get(role) ?? this.#adapters.get("language");
    if (adapter !== undefined) return adapter;
    throw new GatewayError("request_unsupported", `'${this.#setupId}' has nobody for '${role}'`);
  }

  #unable(what: string, adapter: IXRProviderAdapter): GatewayError {
    const message = `'${this.#setupId}' has nobody for '${what}': '${adapter.id}' cannot do it`;
    return new GatewayError("request_unsupported", message, { providerId: adapter.id });
  }
}
