/* Colour management, by textbook numbers and independent of src/color: matrices to XYZ D50 after Bruce Lindbloom. */

interface RgbProfile {
  readonly toXyz: readonly number[];
  decode(value: number): number;
  encode(linear: number): number;
}

const srgb = {
  decode: (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4),
  encode: (v: number): number => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055),
};
const power = (gamma: number) => ({ decode: (v: number) => v ** gamma, encode: (v: number) => v ** (1 / gamma) });

const RGB: Readonly<Record<string, RgbProfile>> = {
  'sRGB IEC61966-2.1': {
    toXyz: [0.4360747, 0.3850649, 0.1430804, 0.2225045, 0.7168786, 0.0606169, 0.0139322, 0.0971045, 0.7141733],
    ...srgb,
  },
  'Adobe RGB (1998)': {
    toXyz: [0.6097559, 0.2052401, 0.149224, 0.3111242, 0.625656, 0.0632197, 0.0194811, 0.0608902, 0.7448387],
    ...power(563 / 256),
  },
  'Display P3': {
    toXyz: [0.5151187, 0.2919778, 0.1571035, 0.2411892, 0.692244, 0.0665668, -0.0010505, 0.0418791, 0.7840713],
    ...srgb,
  },
  'ProPhoto RGB': {
    toXyz: [0.7976749, 0.1351917, 0.0313534, 0.2880402, 0.7118741, 0.0000857, 0, 0, 0.82521],
    ...power(1.8),
  },
  /** One that no plugin can know by its name. */
  'Camera 5D RGB': {
    toXyz: [0.65, 0.2, 0.1142, 0.3, 0.65, 0.05, 0.02, 0.06, 0.7449],
    ...power(2),
  },
};

export const isRgbProfile = (name: string): boolean => name in RGB;

/** One colour in [0,1], clipped, as relative colorimetric conversion does. */
export function convert(from: string, to: string, color: readonly number[]): number[] {
  if (from === to) return [...color];
  const [a, b] = [RGB[from], RGB[to]];
  const linear = color.map((value) => a.decode(Math.min(1, Math.max(0, value))));
  const xyz = times(a.toXyz, linear);
  return times(inverse(b.toXyz), xyz).map((value) => b.encode(Math.min(1, Math.max(0, value))));
}

/** Numbers of another mode as sRGB numbers: rough, enough for a stand-in whose plugin refuses those modes. */
export function toRgb(mode: string, color: readonly number[]): number[] {
  if (mode === 'GRAYSCALE') return [color[0], color[0], color[0]];
  if (mode === 'CMYK') return [0, 1, 2].map((i) => (1 - color[i]) * (1 - color[3]));
  const [l, a, b] = [color[0] * 100, color[1] * 255 - 128, color[2] * 255 - 128];
  const y = (l + 16) / 116;
  const f = (t: number): number => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  const xyz = [0.9642 * f(y + a / 500), f(y), 0.8249 * f(y - b / 200)];
  const profile = RGB['sRGB IEC61966-2.1'];
  return times(inverse(profile.toXyz), xyz).map((value) => profile.encode(Math.min(1, Math.max(0, value))));
}

function times(m: readonly number[], v: readonly number[]): number[] {
  return [0, 3, 6].map((row) => m[row] * v[0] + m[row + 1] * v[1] + m[row + 2] * v[2]);
}

function inverse([a, b, c, d, e, f, g, h, i]: readonly number[]): number[] {
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const adjugate = [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
  return adjugate.map((value) => value / det);
}
