import type { ForeignXREvent } from "../../model/xr-event.ts";
import type { Handling, IXREventHandler } from "../event-handler.ts";
import { ignored } from "../event-handler.ts";

/** Events of applications and later versions: counted by the processor, and left to whoever registered for them. */
export class ForeignEventHandler implements IXREventHandler<ForeignXREvent> {
  readonly name = "default";

  process(): Handling {
    return ignored("nobody registered for this type");
  }
}
