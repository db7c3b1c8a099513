import type { XRDevice } from "iwer";
import { Euler, Quaternion, Vector3 } from "three";

const SPEED_M_PER_S = 1.4;
const KEYS: Readonly<Record<string, readonly [x: number, z: number]>> = {
  KeyW: [0, -1],
  ArrowUp: [0, -1],
  KeyS: [0, 1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};

/** Head and right hand of the emulated headset by mouse and keyboard: drag to look, keys to walk, the mouse points. */
export class DesktopControls {
  readonly #device: XRDevice;
  readonly #pressed = new Set<string>();
  readonly #aim = { x: 0, y: 0 };
  #yaw = 0.35;
  #pitch = -0.3;
  #lastMs: number | undefined;
  #isReleased = false;

  constructor(device: XRDevice) {
    this.#device = device;
    device.position.set(0.45, 1.6, 0.75);
    let dragged: number | undefined;
    const isPage = (event: Event): boolean =>
      (event.target as Element).closest("#ui main, #ui aside, #ui header") === null;
    addEventListener("pointerdown", (event) => {
      if (isPage(event)) dragged = event.pointerId;
    });
    addEventListener("pointerup", () => (dragged = undefined));
    addEventListener("pointermove", (event) => {
      this.#aim.x = (event.clientX / innerWidth) * 2 - 1;
      this.#aim.y = 1 - (event.clientY / innerHeight) * 2;
      if (dragged !== event.pointerId) return;
      this.#yaw += event.movementX * 0.0035;
      this.#pitch = Math.min(1.3, Math.max(-1.3, this.#pitch + event.movementY * 0.0035));
    });
    addEventListener("keydown", (event) => {
      if (!(event.target instanceof HTMLInputElement) && event.code in KEYS) this.#pressed.add(event.code);
    });
    addEventListener("keyup", (event) => this.#pressed.delete(event.code));
    addEventListener("blur", () => this.#pressed.clear());
  }

  /** A recording or a test moves the device from now on. */
  release(): void {
    this.#isReleased = true;
  }

  update(timeMs: number): void {
    const seconds = Math.min(0.1, (timeMs - (this.#lastMs ?? timeMs)) / 1_000);
    this.#lastMs = timeMs;
    if (this.#isReleased) return;
    const { position, quaternion, controllers } = this.#device;
    const step = new Vector3();
    for (const key of this.#pressed) {
      const [x = 0, z = 0] = KEYS[key] ?? [];
      step.add(new Vector3(x, 0, z));
    }
    step.applyEuler(new Euler(0, this.#yaw, 0)).multiplyScalar(SPEED_M_PER_S * seconds);
    position.set(position.x + step.x, position.y, position.z + step.z);
    const head = new Quaternion().setFromEuler(new Euler(this.#pitch, this.#yaw, 0, "YXZ"));
    quaternion.set(head.x, head.y, head.z, head.w);
    const right = controllers.right;
    if (right === undefined) return;
    const grip = new Vector3(0.18, -0.28, -0.3)
      .applyQuaternion(head)
      .add(new Vector3(position.x, position.y, position.z));
    right.position.set(grip.x, grip.y, grip.z);
    const half = Math.tan(this.#device.fovy / 2);
    const view = new Vector3(this.#aim.x * half * (innerWidth / innerHeight), this.#aim.y * half, -1).multiplyScalar(2);
    const goal = view.applyQuaternion(head).add(new Vector3(position.x, position.y, position.z));
    const aim = new Quaternion().setFromUnitVectors(new Vector3(0, 0, -1), goal.sub(grip).normalize());
    right.quaternion.set(aim.x, aim.y, aim.z, aim.w);
  }
}
