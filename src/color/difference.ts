import { srgbToLab, type Triple } from './convert';
import { ColorError } from './errors';
import { checkPixels } from './pixels';
import { type PixelArray } from './tetrahedral';

const DEGREE = Math.PI / 180;
const POW25_7 = 25 ** 7;

/**
 * Colour difference CIEDE2000 with kL = kC = kH = 1, between two L*a*b* colours.
 * Formula: CIE 142-2001 as restated by Sharma, Wu and Dalal, Color Res. Appl. 30 (2005), equations 2 to 22; the
 * numbers in the comments are theirs.
 */
export function deltaE2000(first: Readonly<Triple>, second: Readonly<Triple>): number {
  const [l1, a1, b1] = first;
  const [l2, a2, b2] = second;
  // 2-7: a* stretched near the neutral axis, then chroma and hue (in degrees)
  const meanChroma7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const stretch = 1.5 - 0.5 * Math.sqrt(meanChroma7 / (meanChroma7 + POW25_7));
  const c1 = Math.hypot(a1 * stretch, b1);
  const c2 = Math.hypot(a2 * stretch, b2);
  const h1 = hue(a1 * stretch, b1);
  const h2 = hue(a2 * stretch, b2);
  // 8-11: differences; hue has none where one colour is neutral
  const neutral = c1 * c2 === 0;
  let deltaHue = neutral ? 0 : h2 - h1;
  if (deltaHue > 180) deltaHue -= 360;
  else if (deltaHue < -180) deltaHue += 360;
  const deltaL = l2 - l1;
  const deltaC = c2 - c1;
  const deltaH = 2 * Math.sqrt(c1 * c2) * Math.sin((deltaHue / 2) * DEGREE);
  // 12-14: means; the mean hue lies on the shorter arc
  const meanL = (l1 + l2) / 2;
  const meanC = (c1 + c2) / 2;
  let meanHue = h1 + h2;
  if (!neutral) {
    if (Math.abs(h1 - h2) > 180) meanHue += meanHue < 360 ? 360 : -360;
    meanHue /= 2;
  }
  // 15-21: weights
  const t =
    1 -
    0.17 * Math.cos((meanHue - 30) * DEGREE) +
    0.24 * Math.cos(2 * meanHue * DEGREE) +
    0.32 * Math.cos((3 * meanHue + 6) * DEGREE) -
    0.2 * Math.cos((4 * meanHue - 63) * DEGREE);
  const lightness50 = (meanL - 50) ** 2;
  const sL = 1 + (0.015 * lightness50) / Math.sqrt(20 + lightness50);
  const sC = 1 + 0.045 * meanC;
  const sH = 1 + 0.015 * meanC * t;
  const meanC7 = meanC ** 7;
  const rotation = 60 * Math.exp(-(((meanHue - 275) / 25) ** 2));
  const rT = -2 * Math.sqrt(meanC7 / (meanC7 + POW25_7)) * Math.sin(rotation * DEGREE);
  // 22; the square can fall below 0 by rounding only
  const l = deltaL / sL;
  const c = deltaC / sC;
  const h = deltaH / sH;
  return Math.sqrt(Math.max(0, l * l + c * c + h * h + rT * c * h));
}

function hue(a: number, b: number): number {
  if (a === 0 && b === 0) return 0;
  const degrees = Math.atan2(b, a) / DEGREE;
  return degrees < 0 ? degrees + 360 : degrees;
}

/** CIEDE2000 between two images, over all pixels. */
export interface ImageDifference {
  readonly mean: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * CIEDE2000 between two sRGB images of the same size, pixel by pixel; alpha is ignored.
 *
 * @param first interleaved pixels, ranges as in `Lut3D.apply`; may differ in depth from `second`
 * @param maximum what means 1.0 in a Uint16Array: 65535 (default) or 32768
 * @throws ColorError BAD_ARGUMENT for arrays of different or zero length
 */
export function imageDifference(
  first: PixelArray,
  second: PixelArray,
  channels: 3 | 4,
  maximum?: 65535 | 32768,
): ImageDifference {
  const scale1 = 1 / checkPixels(first, channels, maximum);
  const scale2 = 1 / checkPixels(second, channels, maximum);
  if (first.length !== second.length || first.length === 0) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `Only images of the same size can be compared, got ${first.length} and ${second.length} values.`,
    );
  }
  const differences = new Float32Array(first.length / channels);
  let sum = 0;
  for (let p = 0, i = 0; p < differences.length; p++, i += channels) {
    const difference = deltaE2000(
      srgbToLab(first[i] * scale1, first[i + 1] * scale1, first[i + 2] * scale1),
      srgbToLab(second[i] * scale2, second[i + 1] * scale2, second[i + 2] * scale2),
    );
    differences[p] = difference;
    sum += difference;
  }
  differences.sort();
  const quantile = (q: number): number => differences[Math.ceil(q * differences.length) - 1];
  return { mean: sum / differences.length, p95: quantile(0.95), p99: quantile(0.99), max: quantile(1) };
}
