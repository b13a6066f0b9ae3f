import { gridPoints, Lut3D } from '../color/lut3d';
import { imageDifference } from '../color/difference';
import { InputError } from './errors';

/** Colours of a retouch: [N, 3] sRGB in [0, 1] -> the same, retouched. */
export type Render = (colours: Float32Array) => Promise<Float32Array>;

/** CIEDE2000 between a LUT and the retouch itself, over colours that are no grid points. */
export interface LutError {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

export interface BakedLut {
  readonly lut: Lut3D;
  readonly error: LutError;
}

/** Sizes to choose from, small first: a LUT of 65 points takes eight times the time and place of one of 33. */
const SIZES = [33, 65] as const;

/** What a LUT may be wrong by: below a mean of 0.3 nobody sees it, a maximum of 3 is seen side by side only. */
export const LUT_LIMITS: LutError = { mean: 0.3, p99: 1, max: 3 };

const NONE: LutError = { mean: 0, p99: 0, max: 0 };

/** Colours of the photo, and as many spread over the whole cube, at which a LUT is measured. */
const MEASURED = 2048;

/** Throws InputError INPUT_SIZE unless a LUT can have so many points per axis. */
export function checkLutSize(size: number): void {
  if (Number.isInteger(size) && size >= 2 && size <= 129) return;
  throw new InputError(
    'INPUT_SIZE',
    `A LUT of ${size} points per axis was asked for. Nothing was rendered.`,
    'Use 33 or 65.',
  );
}

/** The LUT of a retouch: rendered at size^3 colours. */
export async function bakeLut(render: Render, size: number): Promise<Lut3D> {
  return new Lut3D(size, await render(gridPoints(size)));
}

/**
 * The smallest LUT whose measured error is within LUT_LIMITS, else the largest; with its error.
 * `photo` are pixels of the photo [N, 3], 8 bits, of which some are taken; the rest is spread over the cube.
 */
export async function bakeMeasured(render: Render, photo?: Uint8Array): Promise<BakedLut> {
  const colours = measuredColours(photo);
  const direct = await render(colours);
  let baked: BakedLut | undefined;
  for (const size of SIZES) {
    const lut = await bakeLut(render, size);
    const { mean, p99, max } = worseOf(lut.apply(colours.slice(), 3), direct);
    baked = { lut, error: { mean, p99, max } };
    if (mean <= LUT_LIMITS.mean && p99 <= LUT_LIMITS.p99 && max <= LUT_LIMITS.max) break;
  }
  return baked!;
}

/** Over the cube and over the photo, each by itself: neither may hide the other's errors in a common mean. */
function worseOf(found: Float32Array, direct: Float32Array): LutError {
  const [cube, photo] = [0, 3 * MEASURED].map((from) => {
    const part = found.subarray(from, from === 0 ? 3 * MEASURED : undefined);
    const { mean, p99, max } =
      part.length > 0 ? imageDifference(part, direct.subarray(from, from + part.length), 3) : NONE;
    return { mean, p99, max };
  });
  return {
    mean: Math.max(cube.mean, photo.mean),
    p99: Math.max(cube.p99, photo.p99),
    max: Math.max(cube.max, photo.max),
  };
}

/** A Halton sequence in bases 2, 3, 5 (spread evenly, the same every time), then pixels in even steps. */
function measuredColours(photo: Uint8Array | undefined): Float32Array {
  const own = photo ? Math.min(MEASURED, Math.floor(photo.length / 3)) : 0;
  const colours = new Float32Array(3 * (MEASURED + own));
  for (let i = 0; i < MEASURED; i++) [2, 3, 5].forEach((base, c) => (colours[3 * i + c] = halton(i + 1, base)));
  for (let i = 0; i < own; i++) {
    const pixel = 3 * Math.floor((i * photo!.length) / 3 / own);
    for (let c = 0; c < 3; c++) colours[3 * (MEASURED + i) + c] = photo![pixel + c] / 255;
  }
  return colours;
}

/** The digits of `index` in `base`, mirrored at the point (Halton 1960). */
function halton(index: number, base: number): number {
  let value = 0;
  for (let fraction = 1 / base, rest = index; rest > 0; rest = Math.floor(rest / base), fraction /= base) {
    value += fraction * (rest % base);
  }
  return value;
}
