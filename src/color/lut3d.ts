import { ColorError } from './errors';
import { LutTables } from './tables';
import { type PixelArray, type ApplyOptions, applyTetrahedral, interpolate } from './tetrahedral';

/** Grid sizes this library accepts: 2 corners per axis up to 129 points (26 MB of floats). */
export const MIN_LUT_SIZE = 2;
export const MAX_LUT_SIZE = 129;

/** Largest magnitude of a LUT value; far beyond any colour, small enough for every pixel format's arithmetic. */
export const MAX_LUT_VALUE = 1000;

/** Maps one sRGB colour, components in [0,1], to another one. */
export type ColorFunction = (r: number, g: number, b: number) => readonly [number, number, number];

/**
 * A colour transform sampled on a regular n x n x n grid over sRGB in [0,1]^3 (encoded values, not linear light).
 *
 * `data` holds n^3 colours of 3 floats, RED FASTEST as in a `.cube` file: the colour for grid point (r, g, b) starts
 * at `3 * (r + n * (g + n * b))`. Values are nominally in [0,1]; values outside are allowed and are clipped only
 * where an integer pixel format forces it. Treat `data` as read-only: tables derived from it are cached.
 */
export class Lut3D {
  readonly size: number;
  readonly data: Float32Array;
  readonly #tables: LutTables;

  /**
   * @param size grid points per axis, integer in [2,129]
   * @param data size^3 * 3 floats within +-1000, red fastest; kept, not copied
   * @throws ColorError BAD_ARGUMENT for a wrong size or length, or a value that is not a number
   */
  constructor(size: number, data: Float32Array) {
    checkLutSize(size);
    const expected = size ** 3 * 3;
    if (data.length !== expected) {
      throw new ColorError('BAD_ARGUMENT', `A LUT of size ${size} needs ${expected} values, got ${data.length}.`);
    }
    for (let i = 0; i < expected; i++) {
      if (!(Math.abs(data[i]) <= MAX_LUT_VALUE)) {
        throw new ColorError(
          'BAD_ARGUMENT',
          `LUT value ${i} is ${String(data[i])}; every value must be a number within +-${MAX_LUT_VALUE}.`,
        );
      }
    }
    this.size = size;
    this.data = data;
    this.#tables = new LutTables(data, size);
  }

  /** The LUT that changes nothing: `apply` returns pixels within the range exactly, at every depth. */
  static identity(size: number): Lut3D {
    return new Lut3D(size, gridPoints(size));
  }

  /** Samples `fn` at every grid point. For a transform that works on many colours at once, use `gridPoints`. */
  static bake(size: number, fn: ColorFunction): Lut3D {
    const data = gridPoints(size);
    for (let i = 0; i < data.length; i += 3) {
      const [r, g, b] = fn(data[i], data[i + 1], data[i + 2]);
      data[i] = r;
      data[i + 1] = g;
      data[i + 2] = b;
    }
    return new Lut3D(size, data);
  }

  /** The colour at one point by tetrahedral interpolation; inputs are clipped to [0,1], NaN counts as 0. */
  sample(r: number, g: number, b: number): [number, number, number] {
    return interpolate(this.data, this.size, r, g, b);
  }

  /**
   * Applies the LUT to interleaved RGB or RGBA pixels by tetrahedral interpolation; alpha is copied unchanged.
   *
   * Ranges: Uint8Array / Uint8ClampedArray 0..255, Uint16Array 0..`maximum` (65535 unless told; Photoshop's own
   * 16-bit pixels use 32768; larger input values count as `maximum`), Float32Array nominally [0,1] (clipped on the
   * way in, not on the way out; NaN counts as 0). Integer results are rounded to nearest and clipped after the
   * interpolation (at 8 bits LUT values beyond +-4 are clipped to that before it).
   *
   * Works in place unless `destination` is given, on the whole image unless a `tile` is. For progress or cancellation
   * call it on `subarray` bands or on tiles. Bytes and words are computed by WebAssembly SIMD where there is any, with
   * the same results.
   *
   * @returns the array that was written
   * @throws ColorError BAD_ARGUMENT before any pixel is touched
   */
  apply<T extends PixelArray>(pixels: T, channels: 3 | 4, options: ApplyOptions<T> = {}): T {
    return applyTetrahedral(this.#tables, pixels, channels, options);
  }
}

/**
 * The [n^3, 3] grid of input colours in LUT order (red fastest), in [0,1]. A renderer evaluated on these rows, in
 * chunks of any length, yields exactly the `data` of a `Lut3D`.
 */
export function gridPoints(size: number): Float32Array {
  checkLutSize(size);
  const points = new Float32Array(size ** 3 * 3);
  const last = size - 1;
  let i = 0;
  for (let b = 0; b < size; b++) {
    for (let g = 0; g < size; g++) {
      for (let r = 0; r < size; r++) {
        points[i++] = r / last;
        points[i++] = g / last;
        points[i++] = b / last;
      }
    }
  }
  return points;
}

function checkLutSize(size: number): void {
  if (!Number.isInteger(size) || size < MIN_LUT_SIZE || size > MAX_LUT_SIZE) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `LUT size ${size} is not supported: it must be an integer from ${MIN_LUT_SIZE} to ${MAX_LUT_SIZE}.`,
      'Use 33 for a retouch, 65 where more precision is wanted.',
    );
  }
}
