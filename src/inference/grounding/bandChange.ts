import { logRatio, sound, type ColourFit, type Pixels } from './change';

/** What the pixels of one hue band did, beyond the retouch of the whole and in absolute terms too. */
export interface BandChange {
  /** Of all pixels. */
  readonly share: number;
  /** ln of the chroma ratio, beyond lightness and the global change. */
  readonly saturation: number;
  /** L*, beyond the global tone curve. */
  readonly luminance: number;
  /** Degrees, positive towards the next band, beyond the global cast. */
  readonly hue: number;
}

/** In the order of the change's `bands`. */
export const BANDS = ['red', 'orange', 'yellow', 'green', 'aqua', 'blue', 'purple', 'magenta'] as const;
export type Band = (typeof BANDS)[number];
/** OKLCh hues in degrees: midpoints separate the bands, so that skin is orange, foliage yellow and green, clear sky blue. */
export const CENTRES = [25, 58, 100, 140, 195, 255, 300, 345];
const EDGES = CENTRES.map((centre, i) => (centre + (i < 7 ? CENTRES[i + 1] : CENTRES[0] + 360)) / 2);
/** OKLCh chroma from which a pixel has a hue worth naming. */
export const COLOURED = 0.04;
const ZONES = 16;

const DEGREES = 180 / Math.PI;

/** Chroma and hue in degrees [0, 360) of linear sRGB (OKLab, B. Ottosson 2020). */
export function okPolar(r: number, g: number, b: number): [number, number] {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const x = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const y = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return [Math.hypot(x, y), (Math.atan2(y, x) * DEGREES + 360) % 360];
}

/** Number of the hue band of a hue in degrees. */
export function bandOf(hue: number): number {
  const turned = hue < EDGES[7] - 360 ? hue + 360 : hue;
  const found = EDGES.findIndex((edge) => turned <= edge);
  return found < 0 ? 0 : found;
}

/** An angle in degrees brought into [-180, 180). */
export function turn(angle: number): number {
  return ((((angle + 180) % 360) + 360) % 360) - 180;
}

/** The bands' changes. `order`: pixel numbers from dark to light, by `p`. */
export function bandChanges(
  p: Pixels,
  q: Pixels,
  order: Uint32Array,
  { saturation, castA, castB }: ColourFit,
  monochrome: boolean,
  leastShare: number,
): BandChange[] {
  const { count } = p;
  const curve = toneCurve(p, q, order);
  /** Per band: pixels, then sums. */
  const sums = BANDS.map(() => new Float64Array(11));
  for (let i = 0; i < count; i++) {
    const [coloured, hue] = okPolar(p.linear[3 * i], p.linear[3 * i + 1], p.linear[3 * i + 2]);
    if (coloured < COLOURED) continue;
    const k = (q.lightness[i] + 16) / (p.lightness[i] + 16);
    const v = (q.lightness[i] + 16) / 66;
    const expectedA = saturation * p.a[i] * k + castA[0] + castA[1] * v;
    const expectedB = saturation * p.b[i] * k + castB[0] + castB[1] * v;
    const step = q.lightness[i] - p.lightness[i];
    // Rotation is weighted by what colour is left, so that greys, whose hue is noise, do not count.
    const weight = Math.min(q.chroma[i], p.chroma[i]);
    const angle = Math.atan2(q.b[i], q.a[i]) * DEGREES;
    const sum = sums[bandOf(hue)];
    sum[0]++;
    sum[1] += p.chroma[i];
    sum[2] += q.chroma[i];
    sum[3] += Math.hypot(expectedA, expectedB);
    sum[4] += p.lightness[i];
    sum[5] += q.lightness[i];
    sum[6] += step;
    sum[7] += step - curve[i];
    sum[8] += turn(angle - Math.atan2(p.b[i], p.a[i]) * DEGREES) * weight;
    sum[9] += turn(angle - Math.atan2(expectedB, expectedA) * DEGREES) * weight;
    sum[10] += weight;
  }
  return sums.map((sum): BandChange => {
    const [pixels] = sum;
    const share = pixels / count;
    if (pixels < leastShare * count || pixels === 0) return { share, saturation: 0, luminance: 0, hue: 0 };
    const [, chromaP, chromaQ, expected, lightP, lightQ, step, beyondCurve, turned, beyondCast, weight] = sum.map(
      (value) => value / pixels,
    );
    const plain = logRatio(chromaQ, chromaP, 0.5) - logRatio(lightQ + 16, lightP + 16, 1);
    return {
      share,
      saturation: monochrome ? 0 : sound(plain, logRatio(chromaQ, expected, 0.5)),
      luminance: sound(step, beyondCurve),
      hue: monochrome || weight < 4 ? 0 : sound(turned / weight, beyondCast / weight),
    };
  });
}

/** Per pixel, the mean change of L* in its one of sixteen equal zones of lightness. */
function toneCurve(p: Pixels, q: Pixels, order: Uint32Array): Float64Array {
  const { count } = p;
  const zoneOf = (place: number): number => Math.floor((place * ZONES) / count);
  const [sums, counts] = [new Float64Array(ZONES), new Float64Array(ZONES)];
  order.forEach((pixel, place) => {
    sums[zoneOf(place)] += q.lightness[pixel] - p.lightness[pixel];
    counts[zoneOf(place)]++;
  });
  const curve = new Float64Array(count);
  order.forEach((pixel, place) => {
    curve[pixel] = sums[zoneOf(place)] / Math.max(1, counts[zoneOf(place)]);
  });
  return curve;
}
