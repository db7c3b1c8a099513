import {
  BackSide,
  BufferAttribute,
  BufferGeometry,
  Color,
  DirectionalLight,
  DoubleSide,
  EdgesGeometry,
  Group,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  SphereGeometry,
} from "three";
import type { Scene } from "three";

/** Tints by label: what stands in the room is warmer than the room itself. */
const TINTS: Readonly<Record<string, number>> = {
  table: 0xc98d5a,
  desk: 0xc98d5a,
  couch: 0x6f86d6,
  screen: 0x39495f,
  plant: 0x5faf6b,
  lamp: 0xe8c66a,
  shelf: 0xb08968,
  bed: 0x8f7fd0,
};

/** Draws what the emulated runtime detects, so that a desktop user sees the room that a headset would show. */
export class RoomView {
  readonly #group = new Group();
  readonly #drawn = new Map<XRMesh, Group>();

  constructor(scene: Scene) {
    const sky = new Mesh(new SphereGeometry(30, 32, 16), new MeshBasicMaterial({ color: 0x0d1622, side: BackSide }));
    const sun = new DirectionalLight(0xfff1dc, 1.5);
    sun.position.set(1.5, 4, 2);
    scene.add(sky, new HemisphereLight(0xdcecff, 0x39424e, 1.7), sun, this.#group);
  }

  update(frame: XRFrame, space: XRReferenceSpace): void {
    for (const mesh of frame.detectedMeshes ?? []) {
      const pose = frame.getPose(mesh.meshSpace, space);
      if (!pose) continue;
      let drawn = this.#drawn.get(mesh);
      if (drawn === undefined) {
        drawn = draw(mesh);
        this.#drawn.set(mesh, drawn);
        this.#group.add(drawn);
      }
      new Matrix4().fromArray(pose.transform.matrix).decompose(drawn.position, drawn.quaternion, drawn.scale);
    }
  }
}

function draw(mesh: XRMesh): Group {
  const label = (mesh.semanticLabel ?? "other").toLowerCase();
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(mesh.vertices, 3));
  geometry.setIndex(new BufferAttribute(mesh.indices, 1));
  const isRoom = mesh.indices.length > 600;
  const flat = isRoom ? geometry : geometry.toNonIndexed();
  flat.computeVertexNormals();
  const group = new Group();
  const material = new MeshStandardMaterial({
    color: new Color(isRoom ? 0x8fa3b8 : (TINTS[label] ?? 0x9aa7b5)),
    roughness: 0.95,
    side: DoubleSide,
    flatShading: true,
    // Boxes are drawn through the scan that they enclose.
    ...(isRoom ? {} : { transparent: true, opacity: 0.42, depthWrite: false }),
  });
  group.add(new Mesh(flat, material));
  if (!isRoom)
    group.add(
      new LineSegments(
        new EdgesGeometry(geometry, 20),
        new LineBasicMaterial({ color: TINTS[label] ?? 0xb7c4d2, transparent: true, opacity: 0.55 }),
      ),
    );
  return group;
}
