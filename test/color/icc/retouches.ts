import { type ColorFunction, labToSrgb, linearToSrgb, srgbToLab, srgbToLinear, type Triple } from '../../../src/color';
import { SRGB } from '../../../src/color/icc';

/** Retouches in encoded sRGB, each of another kind. */

const map = (fn: (value: number, channel: number) => number): ColorFunction => {
  return (r, g, b) => [fn(r, 0), fn(g, 1), fn(b, 2)];
};
const clip = (value: number): number => Math.min(1, Math.max(0, value));

export const identity: ColorFunction = (r, g, b) => [r, g, b];

export const halfExposure: ColorFunction = map((v) => linearToSrgb(srgbToLinear(v) * 0.5));

/** Diagonal in linear light, nothing clipped. */
const GAINS = [1, 0.85, 0.65];
export const warm: ColorFunction = map((v, channel) => linearToSrgb(srgbToLinear(v) * GAINS[channel]));

/** A smooth S over each channel; greys stay grey. */
export const contrast: ColorFunction = map((v) => v + 0.5 * v * (1 - v) * (2 * v - 1));

/** Of linear sRGB, under D50. */
export function luminance(c: readonly number[]): number {
  return SRGB.toXyz[1].reduce((sum, weight, i) => sum + weight * c[i], 0);
}

/** A retouch that knows a colour by its luminance. */
const byLuminance = (fn: (y: number, linear: number, channel: number) => number): ColorFunction => {
  return (...color) => {
    const linear = color.map(srgbToLinear);
    const y = luminance(linear);
    return linear.map((v, channel) => linearToSrgb(fn(y, v, channel))) as Triple;
  };
};

export const blackAndWhite: ColorFunction = byLuminance((y) => y);

const SEPIA = [1, 0.85, 0.6];
export const sepia: ColorFunction = byLuminance((y, _v, channel) => y * SEPIA[channel]);

/** Less saturation, in linear light: 0 changes nothing, 1 leaves grey. */
export function paler(amount: number): ColorFunction {
  return byLuminance((y, v) => v + amount * (y - v));
}

/** What the product does: tone, contrast, a cast, more chroma, one hue turned. */
export const look: ColorFunction = (r, g, b) => {
  const [l, a, c] = srgbToLab(...(contrast(r, g, b) as Triple));
  const turn = 0.2 * Math.exp(-((Math.atan2(c, a) - 1) ** 2));
  const gain = 1 + 0.25 * Math.exp(-Math.hypot(a, c) / 40);
  const x = gain * (a * Math.cos(turn) - c * Math.sin(turn));
  const y = gain * (a * Math.sin(turn) + c * Math.cos(turn)) + 4 * (l / 100) * (1 - l / 100);
  return labToSrgb(4 + 0.95 * l, x, y).map(clip) as Triple;
};
