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
  Vector3,
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
    const sun = new DirectionalLight(0xffe6c4, 1.5);
    sun.position.set(1.5, 4, 2);
    scene.add(sky, new HemisphereLight(0xdfeaff, 0x3a4150, 1.15), sun, this.#group);
  }

  update(frame: XRFrame, space: XRReferenceSpace): void {
    for (const mesh of frame.detectedMeshes ?? []) {
      const pose = frame.getPose(mesh.meshSpace, space);
      if (!pose) continue;
      let drawn = this.#drawn.get(mesh);
      if (drawn === undefined) {
        drawn = draw(mesh, new Matrix4().fromArray(pose.transform.matrix));
        this.#drawn.set(mesh, drawn);
        this.#group.add(drawn);
      }
      new Matrix4().fromArray(pose.transform.matrix).decompose(drawn.position, drawn.quaternion, drawn.scale);
    }
  }
}

function draw(mesh: XRMesh, toRoom: Matrix4): Group {
  const group = new Group();
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(mesh.vertices, 3));
  geometry.setIndex(new BufferAttribute(mesh.indices, 1));
  const isRoom = mesh.indices.length > 600;
  if (isRoom) group.add(scan(geometry, toRoom));
  else group.add(...box(geometry, (mesh.semanticLabel ?? "other").toLowerCase()));
  return group;
}

/** The scan in the colours of a room: the floor like wood, ceilings white, walls pale, tops of things warm. */
function scan(geometry: BufferGeometry, toRoom: Matrix4): Mesh {
  const flat = geometry.toNonIndexed();
  flat.computeVertexNormals();
  const positions = flat.getAttribute("position");
  const normals = flat.getAttribute("normal");
  const colors = new Float32Array(positions.count * 3);
  const color = new Color();
  const point = new Vector3();
  const normal = new Vector3();
  for (let i = 0; i < positions.count; i++) {
    point.fromBufferAttribute(positions, i).applyMatrix4(toRoom);
    normal.fromBufferAttribute(normals, i).transformDirection(toRoom);
    color.set(colorAt(point.y, normal.y)).multiplyScalar(0.9 + 0.1 * Math.abs(normal.x));
    color.toArray(colors, i * 3);
  }
  flat.setAttribute("color", new BufferAttribute(colors, 3));
  return new Mesh(flat, new MeshStandardMaterial({ vertexColors: true, roughness: 0.92, side: DoubleSide }));
}

/** Height in metres, and how much the surface faces up (1) or down (-1). */
function colorAt(height: number, up: number): number {
  if (Math.abs(up) < 0.6) return 0xb3c6e2;
  if (height < 0.15) return 0xb98a62;
  return height > 2 ? 0xe9edf2 : 0xd9b48f;
}

/** Labelled boxes are drawn through the scan that they enclose. */
function box(geometry: BufferGeometry, label: string): [Mesh, LineSegments] {
  const tint = new Color(TINTS[label] ?? 0xb7c4d2);
  const body = new Mesh(
    geometry,
    new MeshBasicMaterial({ color: tint, transparent: true, opacity: 0.16, depthWrite: false }),
  );
  const lines = new LineBasicMaterial({ color: tint, transparent: true, opacity: 0.6 });
  return [body, new LineSegments(new EdgesGeometry(geometry, 20), lines)];
}
