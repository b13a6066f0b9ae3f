/** Three components of one colour. */
export type Triple = [number, number, number];

/** sRGB primaries and D65 white (IEC 61966-2-1): linear RGB in [0,1] -> XYZ with Y = 1 for white. Rows X, Y, Z. */
const RGB_TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
] as const;
const XYZ_TO_RGB = [
  [3.2404542, -1.5371385, -0.4985314],
  [-0.969266, 1.8760108, 0.041556],
  [0.0556434, -0.2040259, 1.0572252],
] as const;

/** White is what the matrix makes of (1,1,1), so that every grey has a* = b* = 0. */
const WHITE: Triple = [
  RGB_TO_XYZ[0][0] + RGB_TO_XYZ[0][1] + RGB_TO_XYZ[0][2],
  RGB_TO_XYZ[1][0] + RGB_TO_XYZ[1][1] + RGB_TO_XYZ[1][2],
  RGB_TO_XYZ[2][0] + RGB_TO_XYZ[2][1] + RGB_TO_XYZ[2][2],
];

/** CIE 15: the exact rational constants of the Lab curve. */
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;

/** sRGB electro-optical transfer (IEC 61966-2-1), encoded -> linear light; odd-symmetric below 0, no clipping. */
export function srgbToLinear(value: number): number {
  const magnitude = Math.abs(value);
  const linear = magnitude <= 0.04045 ? magnitude / 12.92 : ((magnitude + 0.055) / 1.055) ** 2.4;
  return value < 0 ? -linear : linear;
}

/** Inverse of `srgbToLinear`. */
export function linearToSrgb(value: number): number {
  const magnitude = Math.abs(value);
  const encoded = magnitude <= 0.0031308 ? magnitude * 12.92 : 1.055 * magnitude ** (1 / 2.4) - 0.055;
  return value < 0 ? -encoded : encoded;
}

/** Encoded sRGB in [0,1] -> CIE L*a*b* (D65): L* in [0,100], a* and b* about -110..110. */
export function srgbToLab(r: number, g: number, b: number): Triple {
  return linearToLab(srgbToLinear(r), srgbToLinear(g), srgbToLinear(b));
}

/** Linear sRGB -> CIE L*a*b* (D65). */
export function linearToLab(r: number, g: number, b: number): Triple {
  const [x, y, z] = multiply(RGB_TO_XYZ, r, g, b);
  const fx = labCurve(x / WHITE[0]);
  const fy = labCurve(y / WHITE[1]);
  const fz = labCurve(z / WHITE[2]);
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** CIE L*a*b* (D65) -> encoded sRGB, not clipped: colours outside the gamut come out below 0 or above 1. */
export function labToSrgb(lightness: number, a: number, b: number): Triple {
  const fy = (lightness + 16) / 116;
  const x = WHITE[0] * inverseLabCurve(fy + a / 500);
  const y = WHITE[1] * inverseLabCurve(fy);
  const z = WHITE[2] * inverseLabCurve(fy - b / 200);
  const [red, green, blue] = multiply(XYZ_TO_RGB, x, y, z);
  return [linearToSrgb(red), linearToSrgb(green), linearToSrgb(blue)];
}

function labCurve(t: number): number {
  return t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116;
}

function inverseLabCurve(f: number): number {
  const cube = f ** 3;
  return cube > EPSILON ? cube : (116 * f - 16) / KAPPA;
}

function multiply(m: readonly (readonly [number, number, number])[], a: number, b: number, c: number): Triple {
  const [p, q, r] = m as [Triple, Triple, Triple];
  return [p[0] * a + p[1] * b + p[2] * c, q[0] * a + q[1] * b + q[2] * c, r[0] * a + r[1] * b + r[2] * c];
}
