import type { Fovea } from "@fovea/client";
import { Quaternion, Vector3 } from "three";
import type { PerspectiveCamera, WebGLRenderer } from "three";

/**
 * The user's camera, on while there is consent to it. In a headset it is the device's; in the emulator the page's own
 * picture of the room stands for it, taken from where the emulated eye is.
 */
export function followCameraConsent(
  xr: Fovea,
  renderer: WebGLRenderer,
  eye: PerspectiveCamera,
  isEmulated: boolean,
  onError: (message: string) => void,
): void {
  const picture = () => {
    const camera = renderer.xr.isPresenting ? (renderer.xr.getCamera().cameras[0] ?? eye) : eye;
    const position = camera.getWorldPosition(new Vector3());
    const turn = camera.getWorldQuaternion(new Quaternion());
    const { width, height } = renderer.domElement;
    const pose = [...position.toArray(), ...turn.toArray()];
    return { image: renderer.domElement, width, height, projectionMatrix: camera.projectionMatrix.elements, pose };
  };
  const follow = (isAllowed: boolean): void => {
    if (isAllowed === xr.camera.isRunning) return;
    if (!isAllowed) xr.camera.stop();
    else xr.camera.start(isEmulated ? { picture } : {}).catch((error: unknown) => onError(String(error)));
  };
  xr.on("consent", ({ detail }) => follow(detail.levels.camera));
  follow(xr.consent.current.camera);
}
