import { linearToSrgb, srgbToLinear, type Triple } from '../convert';
import { ColorError } from '../errors';
import { type ColorFunction, Lut3D } from '../lut3d';
import { usableTransfer } from './curve';
import { extend, fitIntoCube } from './gamut';
import { inverse, product, spansSpace, transform } from './matrix';
import { type GreySpace, type RgbSpace, SRGB } from './spaces';

/** Linear sRGB within [0,1] -> the same, retouched. */
type LinearRetouch = (color: Readonly<Triple>) => Triple;

/** A grid for one channel; larger than any 16-bit curve needs. */
const MAX_GREY_SIZE = 65536;

/**
 * Changes of linear light smaller than this are the rounding of a LUT's 32-bit floats and count as none. Without it a
 * pure gamma, whose inverse is infinitely steep at 0, would show a rounding of 1e-7 as 1e-3.
 */
const NO_CHANGE = 1e-6;

/**
 * The retouch, made for encoded sRGB, as a LUT over the document's own encoded RGB: `retouchInSpace` on every grid
 * point. With `retouch` as a LUT of 33 points and a size of 33 the result is, over the colours that sRGB has, within a
 * mean CIEDE2000 of 0.1 of taking each pixel to sRGB and back.
 *
 * @param size grid points per axis, 2 to 129
 * @returns values within [0,1]
 * @throws ColorError BAD_ARGUMENT, as `retouchInSpace`, and for a wrong size
 */
export function bakeInSpace(space: RgbSpace, retouch: ColorFunction | Lut3D, size: number = 33): Lut3D {
  return Lut3D.bake(size, retouchInSpace(space, retouch));
}

/**
 * The retouch as a function of the document's own encoded RGB, in [0,1]^3 both ways.
 *
 * Colours that sRGB has too are taken through sRGB and back (relative colorimetric, as any colour management does).
 * Colours outside keep what sRGB cannot hold of them; how is said in gamut.ts. The retouch that changes nothing gives
 * the function that changes nothing, in every space. Neutral colours stay neutral where the retouch keeps them so.
 *
 * @param space the document's
 * @param retouch encoded sRGB in [0,1]^3 -> encoded sRGB; what it gives beyond [0,1] is clipped, as it is in sRGB
 * @throws ColorError BAD_ARGUMENT for a space without inverse, or (by the function) a retouch that gives no numbers
 */
export function retouchInSpace(space: RgbSpace, retouch: ColorFunction | Lut3D): ColorFunction {
  const [red, green, blue] = space.curves.map(usableTransfer);
  if (!spansSpace(space.toXyz)) {
    throw new ColorError('BAD_ARGUMENT', 'The three primaries do not span a colour space.');
  }
  const toSrgb = product(inverse(SRGB.toXyz), space.toXyz);
  const fromSrgb = inverse(toSrgb);
  const linearRetouch = inLinearLight(retouch);
  return (r, g, b) => {
    const own: Triple = [red.toLinear(r), green.toLinear(g), blue.toLinear(b)];
    const fitted = fitIntoCube(transform(toSrgb, own));
    const { inside, grey, ratio } = fitted;
    const retouched = linearRetouch(inside);
    const result = ratio === 1 ? retouched : extend(linearRetouch([grey, grey, grey]), retouched, fitted);
    const [x, y, z] = transform(fromSrgb, result);
    return [
      Math.abs(x - own[0]) < NO_CHANGE ? r : red.fromLinear(x),
      Math.abs(y - own[1]) < NO_CHANGE ? g : green.fromLinear(y),
      Math.abs(z - own[2]) < NO_CHANGE ? b : blue.fromLinear(z),
    ];
  };
}

/**
 * The same for a document with one channel: a curve of `size` equally spaced values over [0,1]. What a retouch makes
 * coloured counts by its luminance.
 *
 * @param size number of values, 2 to 65536
 * @throws ColorError BAD_ARGUMENT, as `bakeInSpace`
 */
export function bakeGrey(space: GreySpace, retouch: ColorFunction | Lut3D, size: number = 256): Float32Array {
  if (!Number.isInteger(size) || size < 2 || size > MAX_GREY_SIZE) {
    throw new ColorError('BAD_ARGUMENT', `A curve has 2 to ${MAX_GREY_SIZE} values, not ${size}.`);
  }
  const curve = usableTransfer(space.curve);
  const linearRetouch = inLinearLight(retouch);
  return Float32Array.from({ length: size }, (_, i) => {
    const grey = curve.toLinear(i / (size - 1));
    const [, luminance] = transform(SRGB.toXyz, linearRetouch([grey, grey, grey]));
    return curve.fromLinear(luminance);
  });
}

function inLinearLight(retouch: ColorFunction | Lut3D): LinearRetouch {
  const encoded: ColorFunction = typeof retouch === 'function' ? retouch : (r, g, b) => retouch.sample(r, g, b);
  return ([r, g, b]) => {
    const [x, y, z] = encoded(linearToSrgb(r), linearToSrgb(g), linearToSrgb(b));
    return [linear(x), linear(y), linear(z)];
  };
}

function linear(value: number): number {
  if (Number.isNaN(value)) throw new ColorError('BAD_ARGUMENT', 'The retouch gave a value that is not a number.');
  return srgbToLinear(Math.min(1, Math.max(0, value)));
}
