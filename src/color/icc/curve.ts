import { ColorError } from '../errors';

/**
 * A tone curve, from encoded values to linear light, both in [0,1].
 * - gamma: y = x^gamma
 * - parametric: y = (a x + b)^g + e from x = d on, y = c x + f below. All five function types of ICC's
 *   parametricCurveType (ICC.1:2010, 10.16, table 65) are of this form.
 * - table: equally spaced values, straight lines between them
 */
export type Curve =
  | { readonly kind: 'gamma'; readonly gamma: number }
  | ({ readonly kind: 'parametric' } & Readonly<Parameters>)
  | { readonly kind: 'table'; readonly values: ArrayLike<number> };

export interface Parameters {
  g: number;
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

/** A curve made ready for use. Both functions take any number, clip it to [0,1], and are each other's inverse. */
export interface Transfer {
  toLinear(encoded: number): number;
  fromLinear(linear: number): number;
}

/** A curve that falls by more than this anywhere is no tone curve; less is measurement noise and is levelled. */
const NOISE = 0.005;
/** From its first to its last value a curve has to rise by at least this. */
const LEAST_RISE = 0.1;
/** Slope given to level stretches. Small against 16 bits, even over the longest table. */
const LEAST_STEP = 1e-9;
/** Points at which a formula is tried, and points of the table that stands for one without an inverse of its own. */
const PROBES = 256;
const TABULATED = 1024;

/**
 * Makes a curve ready for use, or returns undefined where it is no tone curve: falling, level from end to end, or a gamma
 * beyond 0.1 to 10.
 *
 * Curves that stay level for a while (a table that begins with several zeros) get a rise of 1e-9 per step there. It
 * is far below every pixel format, and it keeps each encoded value apart from its neighbours, so that a way there and
 * back returns to where it began.
 */
export function makeTransfer(curve: Curve): Transfer | undefined {
  switch (curve.kind) {
    case 'gamma':
      return gammaTransfer(curve.gamma);
    case 'parametric':
      return parametricTransfer(curve);
    case 'table':
      return tableTransfer(curve.values);
  }
}

/** The same, for a space that is to be used. Throws ColorError BAD_ARGUMENT where it is no tone curve. */
export function usableTransfer(curve: Curve): Transfer {
  const transfer = makeTransfer(curve);
  if (transfer) return transfer;
  throw new ColorError('BAD_ARGUMENT', 'A curve of this colour space does not rise from dark to light.');
}

function gammaTransfer(gamma: number): Transfer | undefined {
  if (!(gamma >= 0.1 && gamma <= 10)) return undefined;
  const inverse = 1 / gamma;
  return { toLinear: (x) => clip(x) ** gamma, fromLinear: (y) => clip(y) ** inverse };
}

function parametricTransfer(p: Readonly<Parameters>): Transfer | undefined {
  // Below the base's zero a power has no real value; the standard leaves it open, 0 continues the curve.
  const upper = (x: number): number => Math.max(0, p.a * x + p.b) ** p.g + p.e;
  const toLinear = (x: number): number => {
    const at = clip(x);
    return clip(at >= p.d ? upper(at) : p.c * at + p.f);
  };
  // Where it rises strictly all the way, its formula has an inverse; elsewhere the table's inverse serves.
  const probes = sampled(toLinear, PROBES);
  for (let i = 1; i < PROBES; i++) if (!(probes[i] > probes[i - 1])) return tableTransfer(sampled(toLinear, TABULATED));
  const joint = upper(Math.max(0, p.d));
  const fromLinear = (y: number): number => {
    const at = clip(y);
    if (p.d <= 0 || at >= joint) return clip((Math.max(0, at - p.e) ** (1 / p.g) - p.b) / p.a);
    return clip(Math.min((at - p.f) / p.c, p.d));
  };
  return { toLinear, fromLinear };
}

function sampled(fn: (x: number) => number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => fn(i / (count - 1)));
}

function tableTransfer(values: ArrayLike<number>): Transfer | undefined {
  const last = values.length - 1;
  if (last < 1) return undefined;
  const table = new Float64Array(values.length);
  for (let i = 0, highest = -Infinity; i <= last; i++) {
    if (!(values[i] >= highest - NOISE)) return undefined;
    highest = Math.max(highest, values[i]);
    table[i] = i === 0 ? highest : Math.max(highest, table[i - 1] + LEAST_STEP);
  }
  if (table[last] - table[0] < LEAST_RISE) return undefined;
  return {
    toLinear: (x) => {
      const at = clip(x) * last;
      const cell = Math.min(Math.floor(at), last - 1);
      return table[cell] + (table[cell + 1] - table[cell]) * (at - cell);
    },
    fromLinear: (y) => {
      if (!(y > table[0])) return 0;
      if (y >= table[last]) return 1;
      // The last point that is not above y.
      let low = 0;
      let high = last;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (table[middle] <= y) low = middle;
        else high = middle;
      }
      return (low + (y - table[low]) / (table[high] - table[low])) / last;
    },
  };
}

function clip(value: number): number {
  return value > 0 ? (value < 1 ? value : 1) : 0;
}
