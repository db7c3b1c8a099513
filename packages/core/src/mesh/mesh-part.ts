import type { GatewayError } from "../errors/gateway-error.ts";
import type { FinishReason, StreamPart, Warning } from "../model/chat.ts";
import type { Usage } from "../model/measure.ts";
import type { RoutedCell } from "../routing/routed-plan.ts";

/** Stream parts that carry something for the client; lifecycle, usage and ends have their own members below. */
export type ContentStreamPart = Exclude<
  StreamPart,
  { type: "start" | "accepted" | "limits" | "usage" | "finish" | "error" | "progress" }
>;

/** What became of the call that was paid for: its answer was delivered, another one's was, or it broke. */
export type SpentKind = "winner" | "loser" | "broken";

/** What the mesh makes of a plan, in order: `serving` first, then content, then exactly one of `finished` and `broken`. */
export type MeshPart =
  | ContentStreamPart
  | {
      readonly type: "serving";
      readonly cell: RoutedCell;
      readonly warnings: readonly Warning[];
      /** Calls made so far for this request, this one included. */
      readonly attempts: number;
    }
  | { readonly type: "resumed"; readonly fromUnit: number; readonly cell: RoutedCell }
  | { readonly type: "spent"; readonly cell: RoutedCell; readonly usage: Usage; readonly kind: SpentKind }
  | { readonly type: "finished"; readonly reason: FinishReason }
  | { readonly type: "broken"; readonly error: GatewayError };
