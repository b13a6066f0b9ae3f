import { linearToLab, srgbToLinear } from './convert';
import { ColorError } from './errors';
import { checkPixels } from './pixels';
import { type PixelArray } from './tetrahedral';

export interface Distribution {
  readonly mean: number;
  readonly p01: number;
  readonly p05: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface ImageStatistics {
  readonly pixels: number;
  /** L* in [0,100]; percentiles are right to 0.1. */
  readonly lightness: Distribution;
  /** C*ab, 0 for greys, about 130 for the purest sRGB colours; percentiles are right to 0.1. */
  readonly chroma: Distribution;
  /** Mean a* (green < 0 < magenta) and b* (blue < 0 < yellow): the colour cast of the whole picture. */
  readonly cast: { readonly a: number; readonly b: number };
  /** Percent of pixels with at least one channel at its highest level. */
  readonly clippedHighlights: number;
  /** Percent of pixels with all three channels at 0. */
  readonly clippedShadows: number;
  /** Pixels per level, 256 levels over [0,1], for each channel. */
  readonly histogram: { readonly red: Uint32Array; readonly green: Uint32Array; readonly blue: Uint32Array };
}

/** Steps of 0.1 from 0 to beyond the largest L* and C*ab of sRGB. */
const BIN = 0.1;
const BINS = 1500;

/**
 * What can be said about an sRGB image without looking at where its pixels are; alpha is ignored.
 *
 * @param pixels interleaved, ranges as in `Lut3D.apply`; floats outside [0,1] count as clipped, NaN as 0
 * @param maximum what means 1.0 in a Uint16Array: 65535 (default) or 32768
 * @throws ColorError BAD_ARGUMENT for no pixels or malformed arrays
 */
export function imageStatistics(pixels: PixelArray, channels: 3 | 4, maximum?: 65535 | 32768): ImageStatistics {
  const scale = 1 / checkPixels(pixels, channels, maximum);
  const count = pixels.length / channels;
  if (count === 0) throw new ColorError('BAD_ARGUMENT', 'An image without pixels has no statistics.');
  const lightness = new Tally();
  const chroma = new Tally();
  const histogram = { red: new Uint32Array(256), green: new Uint32Array(256), blue: new Uint32Array(256) };
  // 8-bit images, the common case, have 256 linear values.
  const linear8 = scale === 1 / 255 ? Float64Array.from({ length: 256 }, (_, v) => srgbToLinear(v / 255)) : undefined;
  const toLinear = (value: number): number => (linear8 ? linear8[value] : srgbToLinear(unit(value * scale)));
  const level = (value: number): number => Math.round(unit(value * scale) * 255);
  let sumA = 0;
  let sumB = 0;
  let highlights = 0;
  let shadows = 0;
  for (let i = 0; i < pixels.length; i += channels) {
    const r = pixels[i];
    const g = pixels[i + 1];
    const b = pixels[i + 2];
    const [l, labA, labB] = linearToLab(toLinear(r), toLinear(g), toLinear(b));
    lightness.add(l);
    chroma.add(Math.sqrt(labA * labA + labB * labB));
    sumA += labA;
    sumB += labB;
    const highest = unit(Math.max(r, g, b) * scale);
    if (highest >= 1) highlights++;
    else if (highest <= 0) shadows++;
    histogram.red[level(r)]++;
    histogram.green[level(g)]++;
    histogram.blue[level(b)]++;
  }
  return {
    pixels: count,
    lightness: lightness.distribution(),
    chroma: chroma.distribution(),
    cast: { a: sumA / count, b: sumB / count },
    clippedHighlights: (100 * highlights) / count,
    clippedShadows: (100 * shadows) / count,
    histogram,
  };
}

/** Mean and percentiles of a stream of values in [0, 150). */
class Tally {
  private readonly bins = new Uint32Array(BINS);
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
    this.bins[Math.min(BINS - 1, Math.max(0, Math.round(value / BIN)))]++;
  }

  distribution(): Distribution {
    return {
      mean: this.sum / this.count,
      p01: this.percentile(0.01),
      p05: this.percentile(0.05),
      p50: this.percentile(0.5),
      p95: this.percentile(0.95),
      p99: this.percentile(0.99),
    };
  }

  private percentile(q: number): number {
    const rank = Math.ceil(q * this.count);
    let seen = 0;
    let bin = 0;
    for (; bin < BINS - 1; bin++) {
      seen += this.bins[bin];
      if (seen >= rank) break;
    }
    return bin * BIN;
  }
}

/** Clips to [0,1]; NaN becomes 0. */
function unit(value: number): number {
  return value > 0 ? (value < 1 ? value : 1) : 0;
}
