import { type Triple } from '../convert';
import { type Curve } from './curve';
import { inverse, type Matrix3, product, scaleColumns, spansSpace, transform } from './matrix';

/** CIE x and y. */
export type Chromaticity = readonly [number, number];

/** An RGB space made of a matrix and three curves, connected through CIE XYZ with the white D50 (ICC's PCS). */
export interface RgbSpace {
  readonly kind: 'rgb';
  /** Linear RGB in [0,1] -> XYZ, D50, Y of white = 1. The columns are the primaries. */
  readonly toXyz: Matrix3;
  /** Encoded -> linear, for red, green, blue. */
  readonly curves: readonly [Curve, Curve, Curve];
  /** The white the space is meant for, before adaptation to D50; absent where it is not known. */
  readonly white?: Chromaticity;
}

/** One channel: its linear value is the luminance of a neutral colour, Y = 1 for white. */
export interface GreySpace {
  readonly kind: 'grey';
  readonly curve: Curve;
}

export type ColorSpace = RgbSpace | GreySpace;

/** The PCS illuminant, exactly as ICC.1 (7.2.16) rounds it. */
export const D50: Readonly<Triple> = [0.9642, 1, 0.8249];

/** Cone responses of the linear Bradford adaptation (ICC.1:2010, annex E). */
const BRADFORD: Matrix3 = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** CIE standard illuminant D65, to the four digits that all three D65 spaces below are defined with. */
export const D65: Chromaticity = [0.3127, 0.329];

/** Linear Bradford: XYZ as seen under `white` -> XYZ as seen under D50. */
export function adaptationToD50(white: Chromaticity): Matrix3 {
  const from = transform(BRADFORD, xyzOf(white));
  const to = transform(BRADFORD, D50);
  return product(scaleColumns(inverse(BRADFORD), [to[0] / from[0], to[1] / from[1], to[2] / from[2]]), BRADFORD);
}

/** Primaries' columns scaled so that R = G = B = 1 is exactly `white` (SMPTE RP 177). */
function matrixFor(primaries: Primaries, white: Readonly<Triple>): Matrix3 {
  const [r, g, b] = primaries.map(xyzOf);
  const columns: Matrix3 = [
    [r[0], g[0], b[0]],
    [r[1], g[1], b[1]],
    [r[2], g[2], b[2]],
  ];
  return scaleColumns(columns, transform(inverse(columns), white));
}

function xyzOf([x, y]: Chromaticity): Triple {
  return [x / y, 1, (1 - x - y) / y];
}

/** Red, green, blue. */
export type Primaries = readonly [Chromaticity, Chromaticity, Chromaticity];

/**
 * The space of these primaries (CIE xy) under a white of its own, adapted to D50 by linear Bradford, with one curve for
 * all channels. Undefined for numbers that span no space of colors: a y of 0, primaries on a line, a white outside.
 */
export function spaceOfPrimaries(primaries: Primaries, white: Chromaticity, curve: Curve): RgbSpace | undefined {
  const usable = [...primaries, white].every(([x, y]) => x >= 0 && y > 0 && x + y <= 1);
  if (!usable) return undefined;
  const columns = matrixFor(primaries, xyzOf(white));
  const inside = columns[1].every((luminance) => luminance > 0);
  if (!inside || !spansSpace(columns)) return undefined;
  return { kind: 'rgb', toXyz: product(adaptationToD50(white), columns), curves: [curve, curve, curve], white };
}

function spaceUnderD65(primaries: Primaries, curve: Curve): RgbSpace {
  const toXyz = product(adaptationToD50(D65), matrixFor(primaries, xyzOf(D65)));
  return { kind: 'rgb', toXyz, curves: [curve, curve, curve], white: D65 };
}

export const SRGB_CURVE: Curve = {
  kind: 'parametric',
  g: 2.4,
  a: 1 / 1.055,
  b: 0.055 / 1.055,
  c: 1 / 12.92,
  d: 0.04045,
  e: 0,
  f: 0,
};

/** Of ITU-R BT.709. */
export const SRGB_PRIMARIES: Primaries = [
  [0.64, 0.33],
  [0.3, 0.6],
  [0.15, 0.06],
];

/** IEC 61966-2-1:1999. */
export const SRGB: RgbSpace = spaceUnderD65(SRGB_PRIMARIES, SRGB_CURVE);

/** Primaries of SMPTE EG 432-1:2010 (DCI P3), white D65 and the curve of sRGB, as Apple defined Display P3. */
export const DISPLAY_P3: RgbSpace = spaceUnderD65(
  [
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  SRGB_CURVE,
);

/** Adobe RGB (1998) Color Image Encoding, 2005-05: gamma 2 + 51/256. */
export const ADOBE_RGB: RgbSpace = spaceUnderD65(
  [
    [0.64, 0.33],
    [0.21, 0.71],
    [0.15, 0.06],
  ],
  { kind: 'gamma', gamma: 563 / 256 },
);

const ROMM_CURVE: Curve = { kind: 'parametric', g: 1.8, a: 1, b: 0, c: 1 / 16, d: 1 / 32, e: 0, f: 0 };

/**
 * ROMM RGB (ISO 22028-2:2013, ANSI/I3A IT10.7666), known as ProPhoto RGB. Its white is D50 itself; ICC's rounding of
 * it is taken, so that white is the PCS' white without a remainder.
 */
export const PROPHOTO_RGB: RgbSpace = {
  kind: 'rgb',
  toXyz: matrixFor(
    [
      [0.7347, 0.2653],
      [0.1596, 0.8404],
      [0.0366, 0.0001],
    ],
    D50,
  ),
  curves: [ROMM_CURVE, ROMM_CURVE, ROMM_CURVE],
};

/** The spaces that are recognised by their content. */
export type KnownSpace = 'srgb' | 'display-p3' | 'adobe-rgb' | 'prophoto-rgb';

export const KNOWN_SPACES: Readonly<Record<KnownSpace, RgbSpace>> = {
  srgb: SRGB,
  'display-p3': DISPLAY_P3,
  'adobe-rgb': ADOBE_RGB,
  'prophoto-rgb': PROPHOTO_RGB,
};
