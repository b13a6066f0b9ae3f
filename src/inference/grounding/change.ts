import { linearToLab, srgbToLinear } from '../../color/convert';
import { bandChanges, type BandChange } from './bandChange';

/**
 * What a retouch did to a photo, measured on its pixels. The same readings in Python, with the reasons for each:
 * `training/veraretouch/reasoning/measure.py`. A change has two or three readings that careful readers might use; `sound` keeps
 * the smallest where all point the same way, else 0.
 */
export interface Change {
  /** L*. */
  readonly exposure: number;
  /** ln of the ratio of spreads. */
  readonly contrast: number;
  /** L*, the brightest and the darkest quarter against the rest. */
  readonly highlights: number;
  readonly shadows: number;
  /** L*, the brightest and the darkest 5 %, and the two quarters between. */
  readonly whites: number;
  readonly blacks: number;
  readonly lights: number;
  readonly darks: number;
  /** b*, positive is warmer; a*, positive is towards magenta. */
  readonly temperature: number;
  readonly tint: number;
  /** ln of the chroma ratio; of the less coloured half. */
  readonly saturation: number;
  readonly vibrance: number;
  /** 1 where colour was removed (a single tone may remain), else 0. */
  readonly monochrome: number;
  /** Plain mean change of L* in the brightest and the darkest quarter. */
  readonly highlightsStep: number;
  readonly shadowsStep: number;
  /** Of the eight hue bands, red to magenta. */
  readonly bands: readonly BandChange[];
}

const NEUTRAL_CHROMA = 10;
const LEAST_NEUTRAL = 1 / 50;

/** The smallest of several readings of one change where all have the same sign, else 0. */
export function sound(...readings: readonly number[]): number {
  if (readings.every((reading) => reading > 0)) return Math.min(...readings);
  if (readings.every((reading) => reading < 0)) return Math.max(...readings);
  return 0;
}

/** ln of a ratio whose sides are at least `floor`. */
export function logRatio(after: number, before: number, floor: number): number {
  return Math.log(Math.max(after, floor) / Math.max(before, floor));
}

/** Colour coordinates of one set of pixels. */
export class Pixels {
  readonly count: number;
  readonly linear: Float64Array;
  readonly lightness: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly chroma: Float64Array;

  /** `rgb` [N, 3]: sRGB, clamped to [0, 1]; N at least 16. */
  constructor(rgb: Float32Array) {
    this.count = rgb.length / 3;
    this.linear = Float64Array.from(rgb, (value) => srgbToLinear(Math.min(1, Math.max(0, value))));
    this.lightness = new Float64Array(this.count);
    this.a = new Float64Array(this.count);
    this.b = new Float64Array(this.count);
    this.chroma = new Float64Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const [l, a, b] = linearToLab(this.linear[3 * i], this.linear[3 * i + 1], this.linear[3 * i + 2]);
      this.lightness[i] = l;
      this.a[i] = a;
      this.b[i] = b;
      this.chroma[i] = Math.hypot(a, b);
    }
  }

  /** Pixel numbers from dark to light. */
  order(): Uint32Array {
    return Uint32Array.from(this.lightness.keys()).sort((i, j) => this.lightness[i] - this.lightness[j] || i - j);
  }

  /** Near-neutral pixels, which show the cast of the light; the least coloured fifth where there are hardly any. */
  neutral(): readonly number[] {
    const all = [...this.chroma.keys()];
    const near = all.filter((i) => this.chroma[i] < NEUTRAL_CHROMA);
    if (near.length >= this.count * LEAST_NEUTRAL) return near;
    const limit = this.chroma.slice().sort()[Math.max(1, Math.floor(this.count / 5)) - 1];
    return all.filter((i) => this.chroma[i] <= limit);
  }
}

/**
 * The change between the same pixels before and after, at least 16 of them. Hue bands that are less than `leastShare` of the pixels count
 * as not moved.
 */
export function measureChange(p: Pixels, q: Pixels, leastShare: number): Change {
  const order = p.order();
  const fit = fitColour(p, q);
  const monochrome = isMonochrome(p, q);
  return {
    ...toneChanges(p, q, order),
    ...colourChanges(p, q, fit, monochrome),
    monochrome: monochrome ? 1 : 0,
    bands: bandChanges(p, q, order, fit, monochrome, leastShare),
  };
}

type Tones =
  | 'exposure'
  | 'contrast'
  | 'highlights'
  | 'shadows'
  | 'whites'
  | 'blacks'
  | 'lights'
  | 'darks'
  | 'highlightsStep'
  | 'shadowsStep';

/** Tonal zones are equal counts of pixels. Equal exposure is a shift of ln(L* + 16), so that is one reading. */
function toneChanges(p: Pixels, q: Pixels, order: Uint32Array): Pick<Change, Tones> {
  const { count } = p;
  const log = (lightness: number): number => Math.log(lightness + 16);
  const [logsP, logsQ] = [p.lightness.map(log), q.lightness.map(log)];
  const cuts = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1].map((share) => roundEven(count * share));
  /** Means over the zones from cut i to cut j: L* before, its change, the change of ln(L* + 16). */
  const zone = (i: number, j: number): [number, number, number] => {
    const sums: [number, number, number] = [0, 0, 0];
    for (let at = cuts[i]; at < cuts[j]; at++) {
      const pixel = order[at];
      sums[0] += p.lightness[pixel];
      sums[1] += q.lightness[pixel] - p.lightness[pixel];
      sums[2] += logsQ[pixel] - logsP[pixel];
    }
    const size = Math.max(1, cuts[j] - cuts[i]);
    return [sums[0] / size, sums[1] / size, sums[2] / size];
  };
  type Zone = ReturnType<typeof zone>;
  const against = (part: Zone, base: Zone): [number, number] => [
    part[1] - base[1],
    (part[2] - base[2]) * (part[0] + 16),
  ];
  const whole = zone(0, 6);
  const [top, bottom, topEnd, bottomEnd] = [zone(4, 6), zone(0, 2), zone(5, 6), zone(0, 1)];
  const [lights, darks] = [zone(3, 4), zone(2, 3)];
  const spread = deviation(p.lightness);
  // Zones of a photo of one tone are noise.
  const distinct = spread >= 2;
  let highlights = distinct ? sound(...against(top, zone(0, 4))) : 0;
  let shadows = distinct ? sound(...against(bottom, zone(2, 6))) : 0;
  // A zone that only moves less than the rest is half as telling as one that moves.
  if (highlights * top[1] < 0) highlights *= 0.5;
  if (shadows * bottom[1] < 0) shadows *= 0.5;
  // A zone that runs into the end of the scale moves less than the rest: that is clipping, not recovery.
  if (highlights < 0 && gained(p, q, (lightness) => lightness >= 98) > 0.02) highlights = 0;
  if (shadows > 0 && gained(p, q, (lightness) => lightness <= 2) > 0.02) shadows = 0;
  return {
    exposure: sound(whole[1], median(q.lightness) - median(p.lightness)),
    contrast: distinct
      ? sound(logRatio(deviation(q.lightness), spread, 0.2), logRatio(deviation(logsQ), deviation(logsP), 0.005))
      : 0,
    highlights,
    shadows,
    whites: distinct ? sound(topEnd[1], topEnd[1] - whole[1]) : 0,
    blacks: distinct ? sound(bottomEnd[1], bottomEnd[1] - whole[1]) : 0,
    lights: distinct ? sound(lights[1], ...against(lights, whole)) : 0,
    darks: distinct ? sound(darks[1], ...against(darks, whole)) : 0,
    highlightsStep: top[1],
    shadowsStep: bottom[1],
  };
}

/** The share of pixels by which those in a range of lightness became more. */
function gained(p: Pixels, q: Pixels, within: (lightness: number) => boolean): number {
  const counted = ({ lightness }: Pixels): number => lightness.reduce((sum, value) => sum + (within(value) ? 1 : 0), 0);
  return (counted(q) - counted(p)) / p.count;
}

/** Python's rounding, halves to the even number, so that zones have the same pixels and figures are the same. */
export function roundEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Sample standard deviation. */
function deviation(values: Float64Array): number {
  const average = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / Math.max(1, values.length - 1));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The lower of the two middle values where the count is even. */
function median(values: Float64Array): number {
  return values.slice().sort()[Math.floor((values.length - 1) / 2)];
}

/** The part of a cast that more red and less blue light makes, as b*; that less green light makes, as a*. */
const warmth = (a: number, b: number): number => 0.62 * a + 0.87 * b;
const magenta = (a: number, b: number): number => 1.04 * a - 0.27 * b;

/** A colour that is scaled and gets a cast, which may grow with lightness. */
export interface ColourFit {
  readonly saturation: number;
  /** Constant, and per (L'* + 16) / 66. */
  readonly castA: readonly [number, number];
  readonly castB: readonly [number, number];
}

/**
 * Least squares of a'b' = s * ab * (L' + 16) / (L + 16) + cast + cast per lightness: what a change of exposure and of white balance in
 * linear light does to a* and b*, so that s is the saturation.
 */
function fitColour(p: Pixels, q: Pixels): ColourFit {
  const { count } = p;
  // Sums over pixels of what two rows a pixel (one for a*, one for b*) have in common, and of what they want.
  let [cc, a, av, b, bv, v1, v2] = [0, 0, 0, 0, 0, 0, 0];
  let [wantC, wantA, wantAv, wantB, wantBv] = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const light = q.lightness[i] + 16;
    const k = light / (p.lightness[i] + 16);
    const v = light / 66;
    const [x, y] = [p.a[i] * k, p.b[i] * k];
    cc += x * x + y * y;
    a += x;
    av += x * v;
    b += y;
    bv += y * v;
    v1 += v;
    v2 += v * v;
    wantC += x * q.a[i] + y * q.b[i];
    wantA += q.a[i];
    wantAv += v * q.a[i];
    wantB += q.b[i];
    wantBv += v * q.b[i];
  }
  const little = count * 1e-3;
  const normal = [
    [cc + little, a, av, b, bv],
    [a, count + little, v1, 0, 0],
    [av, v1, v2 + little, 0, 0],
    [b, 0, 0, count + little, v1],
    [bv, 0, 0, v1, v2 + little],
  ];
  const [saturation, a0, a1, b0, b1] = solve(normal, [wantC, wantA, wantAv, wantB, wantBv]);
  return { saturation, castA: [a0, a1], castB: [b0, b1] };
}

/** Gaussian elimination with pivots; the matrix is positive definite. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(matrix[row][column]) > Math.abs(matrix[pivot][column])) pivot = row;
    }
    [matrix[column], matrix[pivot]] = [matrix[pivot], matrix[column]];
    [right[column], right[pivot]] = [right[pivot], right[column]];
    for (let row = column + 1; row < size; row++) {
      const factor = matrix[row][column] / matrix[column][column];
      for (let k = column; k < size; k++) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  const found = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = right[row];
    for (let k = row + 1; k < size; k++) sum -= matrix[row][k] * found[k];
    found[row] = sum / matrix[row][row];
  }
  return found;
}

const ZONES = 16;

/** Root mean square chroma that is left where each lightness zone's own mean tint is taken off: 0 for a duotone. */
function beyondOneTone(p: Pixels): number {
  const sums = Array.from({ length: ZONES }, () => [0, 0, 0]);
  const zoneOf = (i: number): number =>
    Math.min(ZONES - 1, Math.max(0, Math.trunc((p.lightness[i] * ZONES) / 100.001)));
  for (let i = 0; i < p.count; i++) {
    const sum = sums[zoneOf(i)];
    sum[0]++;
    sum[1] += p.a[i];
    sum[2] += p.b[i];
  }
  let total = 0;
  for (let i = 0; i < p.count; i++) {
    const [count, a, b] = sums[zoneOf(i)];
    total += (p.a[i] - a / count) ** 2 + (p.b[i] - b / count) ** 2;
  }
  return Math.sqrt(total / p.count);
}

function isMonochrome(p: Pixels, q: Pixels): boolean {
  const [before, after] = [beyondOneTone(p), beyondOneTone(q)];
  return after < 1.5 && after < 0.3 * before && before >= 3;
}

function colourChanges(
  p: Pixels,
  q: Pixels,
  { saturation: scale, castA: [a0, a1], castB: [b0, b1] }: ColourFit,
  monochrome: boolean,
): Pick<Change, 'temperature' | 'tint' | 'saturation' | 'vibrance'> {
  const neutral = p.neutral();
  const overNeutral = (after: Float64Array, before: Float64Array): number =>
    neutral.reduce((sum, i) => sum + after[i] - before[i], 0) / neutral.length;
  const [neutralA, neutralB] = [overNeutral(q.a, p.a), overNeutral(q.b, p.b)];
  if (monochrome) {
    // What is left of colour is one tone; the toning is its own cast, not a shift of the colours that went.
    return { temperature: sound(neutralB, mean(q.b)), tint: sound(neutralA, mean(q.a)), saturation: 0, vibrance: 0 };
  }
  const v = (mean(q.lightness) + 16) / 66;
  const [fittedA, fittedB] = [a0 + a1 * v, b0 + b1 * v];
  const [meanA, meanB] = [mean(q.a) - mean(p.a), mean(q.b) - mean(p.b)];
  const [chromaP, chromaQ] = [mean(p.chroma), mean(q.chroma)];
  const light = logRatio(mean(q.lightness) + 16, mean(p.lightness) + 16, 1);
  const plain = logRatio(chromaQ, chromaP, 0.5);
  const fitted = Math.log(Math.max(scale, 0.02));
  const middle = median(p.chroma);
  const ofHalf = (chroma: Float64Array): number =>
    chroma.reduce((sum, value, i) => sum + (p.chroma[i] <= middle ? value : 0), 0) / (p.count / 2);
  const coloured = chromaP >= 2;
  return {
    temperature: sound(warmth(neutralA, neutralB), warmth(fittedA, fittedB), neutralB, fittedB, meanB),
    tint: sound(magenta(neutralA, neutralB), magenta(fittedA, fittedB), neutralA, fittedA, meanA),
    saturation: coloured ? sound(plain, plain - light, fitted) : 0,
    vibrance: coloured ? sound(logRatio(ofHalf(q.chroma), ofHalf(p.chroma), 0.5), fitted) : 0,
  };
}
