/** A three-like Object3D, as far as the SDK reads it. */
export interface Object3DLike {
  readonly matrixWorld: { readonly elements: ArrayLike<number> };
  readonly children?: readonly Object3DLike[];
  readonly parent?: Object3DLike | null;
  readonly name?: string;
  readonly isScene?: boolean;
  readonly geometry?: {
    boundingBox?: { readonly min: PointLike; readonly max: PointLike } | null;
    computeBoundingBox?: () => void;
  };
  updateWorldMatrix?(updateParents: boolean, updateChildren: boolean): void;
}

interface PointLike {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}
