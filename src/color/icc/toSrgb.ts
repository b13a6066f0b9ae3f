import { linearToSrgb } from '../convert';
import { ColorError } from '../errors';
import { type ColorFunction } from '../lut3d';
import { usableTransfer } from './curve';
import { fitIntoCube } from './gamut';
import { inverse, product, spansSpace, transform } from './matrix';
import { type GreySpace, type RgbSpace, SRGB } from './spaces';

/**
 * From a document's own encoded RGB to encoded sRGB, both in [0,1], as the model is to see it. Colours that sRGB does not
 * have keep their luminance as far as it goes and lose chroma (gamut.ts); neutral colours stay neutral.
 *
 * @throws ColorError BAD_ARGUMENT for a space without inverse
 */
export function toSrgb(space: RgbSpace): ColorFunction {
  if (!spansSpace(space.toXyz)) {
    throw new ColorError('BAD_ARGUMENT', 'The three primaries do not span a colour space.');
  }
  const [red, green, blue] = space.curves.map(usableTransfer);
  const matrix = product(inverse(SRGB.toXyz), space.toXyz);
  return (r, g, b) => {
    const { inside } = fitIntoCube(transform(matrix, [red.toLinear(r), green.toLinear(g), blue.toLinear(b)]));
    return [linearToSrgb(inside[0]), linearToSrgb(inside[1]), linearToSrgb(inside[2])];
  };
}

/**
 * The same for grey: encoded sRGB, in [0,1], of `size` equally spaced values of the document's own grey.
 *
 * @throws ColorError BAD_ARGUMENT for a curve that does not rise
 */
export function greyToSrgb(space: GreySpace, size: number): Float32Array {
  const curve = usableTransfer(space.curve);
  return Float32Array.from({ length: size }, (_, i) => linearToSrgb(curve.toLinear(i / (size - 1))));
}

/** Encoded values of the document's own RGB for a neutral colour of linear light, in [0,1]. */
export function neutralIn(space: RgbSpace, linear: number): [number, number, number] {
  const [red, green, blue] = space.curves.map(usableTransfer);
  return [red.fromLinear(linear), green.fromLinear(linear), blue.fromLinear(linear)];
}
