import { type ByteTable } from './tables';

/*
 * Tetrahedral interpolation (Kasson, Plouffe, Nin 1993; the rule most LUT hosts use), one loop per pixel format. A cell
 * of the grid is split into six tetrahedra by the order of the fractional coordinates. With fMax >= fMid >= fMin and the
 * path from the cell's low corner v0 to its high corner v3 that steps along the axis of fMax first (v1), then of fMid
 * (v2):
 *
 *   out = v0 * (1 - fMax) + v1 * (fMax - fMid) + v2 * (fMid - fMin) + v3 * fMin
 *
 * The neutral axis runs along v0 -> v3, so greys never mix with colours. At equal fractions either order is right:
 * the vertex in question then has weight 0.
 *
 * The loops for 8 and 16 bits are the reference of simd/lutKernel.as and are used where it cannot run: both give the
 * same bits. Change them together.
 */

/** Weights of the 8-bit loop are 14-bit integers, its table 16-bit ones: products and their sum stay below 2^31. */
const WEIGHT_BITS = 14;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/**
 * 8-bit pixels in integer arithmetic. Its error against exact numbers, before rounding, is at most 0.028 level for a LUT
 * within [0,1]: half a step of the table (1/256 level), and for each of three fractions half a step of the weights (2^-15)
 * times 255 levels, the most by which neighbours differ.
 */
export function byteLoop(
  { values: table, bits }: ByteTable,
  size: number,
  source: Uint8Array,
  target: Uint8Array,
  channels: number,
): void {
  const shift = WEIGHT_BITS + bits;
  const half = 1 << (shift - 1);
  const strideG = 4 * size;
  const strideB = 4 * size * size;
  const strideAll = 4 + strideG + strideB;
  // Per level: the grid cell it falls into (as offset along red) and its fraction inside that cell.
  const cell = new Int32Array(256);
  const fraction = new Int32Array(256);
  for (let value = 0; value < 256; value++) {
    const scaled = value * (size - 1);
    const index = Math.min(Math.floor(scaled / 255), size - 2);
    cell[value] = 4 * index;
    fraction[value] = Math.round(((scaled - 255 * index) * WEIGHT_ONE) / 255);
  }
  for (let i = 0, end = source.length; i < end; i += channels) {
    const r = source[i];
    const g = source[i + 1];
    const b = source[i + 2];
    const v0 = cell[r] + Math.imul(size, cell[g] + Math.imul(size, cell[b]));
    const v3 = v0 + strideAll;
    const fr = fraction[r];
    const fg = fraction[g];
    const fb = fraction[b];
    let v1: number, v2: number, high: number, middle: number, low: number;
    if (fr >= fg) {
      if (fg >= fb) {
        v1 = v0 + 4;
        v2 = v3 - strideB;
        high = fr;
        middle = fg;
        low = fb;
      } else if (fr >= fb) {
        v1 = v0 + 4;
        v2 = v3 - strideG;
        high = fr;
        middle = fb;
        low = fg;
      } else {
        v1 = v0 + strideB;
        v2 = v3 - strideG;
        high = fb;
        middle = fr;
        low = fg;
      }
    } else if (fr >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - strideB;
      high = fg;
      middle = fr;
      low = fb;
    } else if (fg >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - 4;
      high = fg;
      middle = fb;
      low = fr;
    } else {
      v1 = v0 + strideB;
      v2 = v3 - 4;
      high = fb;
      middle = fg;
      low = fr;
    }
    const w0 = WEIGHT_ONE - high;
    const w1 = high - middle;
    const w2 = middle - low;
    const red =
      (Math.imul(table[v0], w0) +
        Math.imul(table[v1], w1) +
        Math.imul(table[v2], w2) +
        Math.imul(table[v3], low) +
        half) >>
      shift;
    const green =
      (Math.imul(table[v0 + 1], w0) +
        Math.imul(table[v1 + 1], w1) +
        Math.imul(table[v2 + 1], w2) +
        Math.imul(table[v3 + 1], low) +
        half) >>
      shift;
    const blue =
      (Math.imul(table[v0 + 2], w0) +
        Math.imul(table[v1 + 2], w1) +
        Math.imul(table[v2 + 2], w2) +
        Math.imul(table[v3 + 2], low) +
        half) >>
      shift;
    target[i] = red < 0 ? 0 : red > 255 ? 255 : red;
    target[i + 1] = green < 0 ? 0 : green > 255 ? 255 : green;
    target[i + 2] = blue < 0 ? 0 : blue > 255 ? 255 : blue;
    if (channels === 4) target[i + 3] = source[i + 3]!;
  }
}

/**
 * 16-bit pixels: cell and weights are exact integers (weights sum to `maximum`), products and sums are rounded to
 * 32-bit floats, the result to 1/64 level and then to the nearest level, halves up. `table` holds four floats a point.
 */
export function wordLoop(
  table: Float32Array,
  size: number,
  source: Uint16Array,
  target: Uint16Array,
  channels: number,
  maximum: 65535 | 32768,
): void {
  const cells = size - 1;
  // floor(t / 65535) and floor(t / 32768) without a division; t is below 2^24.
  const odd = -(maximum & 1);
  const bits = 15 + (maximum & 1);
  const strideG = 4 * size;
  const strideB = 4 * size * size;
  const strideAll = 4 + strideG + strideB;
  for (let i = 0, end = source.length; i < end; i += channels) {
    const tr = Math.imul(Math.min(source[i], maximum), cells);
    const tg = Math.imul(Math.min(source[i + 1], maximum), cells);
    const tb = Math.imul(Math.min(source[i + 2], maximum), cells);
    // The maximum itself belongs to the last cell, with fraction 1.
    const ir = Math.min((tr + (((tr >>> 16) + 1) & odd)) >>> bits, cells - 1);
    const ig = Math.min((tg + (((tg >>> 16) + 1) & odd)) >>> bits, cells - 1);
    const ib = Math.min((tb + (((tb >>> 16) + 1) & odd)) >>> bits, cells - 1);
    const v0 = Math.imul(4, ir + Math.imul(size, ig + Math.imul(size, ib)));
    const v3 = v0 + strideAll;
    const fr = tr - Math.imul(ir, maximum);
    const fg = tg - Math.imul(ig, maximum);
    const fb = tb - Math.imul(ib, maximum);
    let v1: number, v2: number, high: number, middle: number, low: number;
    if (fr >= fg) {
      if (fg >= fb) {
        v1 = v0 + 4;
        v2 = v3 - strideB;
        high = fr;
        middle = fg;
        low = fb;
      } else if (fr >= fb) {
        v1 = v0 + 4;
        v2 = v3 - strideG;
        high = fr;
        middle = fb;
        low = fg;
      } else {
        v1 = v0 + strideB;
        v2 = v3 - strideG;
        high = fb;
        middle = fr;
        low = fg;
      }
    } else if (fr >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - strideB;
      high = fg;
      middle = fr;
      low = fb;
    } else if (fg >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - 4;
      high = fg;
      middle = fb;
      low = fr;
    } else {
      v1 = v0 + strideB;
      v2 = v3 - 4;
      high = fb;
      middle = fg;
      low = fr;
    }
    const w0 = maximum - high;
    const w1 = high - middle;
    const w2 = middle - low;
    for (let c = 0; c < 3; c++) {
      const first = fround(fround(table[v0 + c] * w0) + fround(table[v1 + c] * w1));
      const second = fround(fround(table[v2 + c] * w2) + fround(table[v3 + c] * low));
      const sum = fround(first + second);
      const clipped = sum > 0 ? (sum < maximum ? sum : maximum) : 0;
      // A 32-bit float between 2^17 and 2^18 is a whole number of 1/64.
      target[i + c] = (fround(clipped + 131072.5) - 131072) | 0;
    }
    if (channels === 4) target[i + 3] = source[i + 3]!;
  }
}

const fround = Math.fround;

/** Float pixels, in [0,1] nominally; `table` holds three floats a point. */
export function floatLoop(
  table: Float32Array,
  size: number,
  source: Float32Array,
  target: Float32Array,
  channels: number,
): void {
  const cells = size - 1;
  const strideG = 3 * size;
  const strideB = 3 * size * size;
  const strideAll = 3 + strideG + strideB;
  for (let i = 0, end = source.length; i < end; i += channels) {
    const r = clip(source[i]) * cells;
    const g = clip(source[i + 1]) * cells;
    const b = clip(source[i + 2]) * cells;
    const ir = Math.min(r | 0, cells - 1) | 0;
    const ig = Math.min(g | 0, cells - 1) | 0;
    const ib = Math.min(b | 0, cells - 1) | 0;
    const v0 = Math.imul(3, ir + Math.imul(size, ig + Math.imul(size, ib)));
    const v3 = v0 + strideAll;
    const fr = r - ir;
    const fg = g - ig;
    const fb = b - ib;
    let v1: number, v2: number, high: number, middle: number, low: number;
    if (fr >= fg) {
      if (fg >= fb) {
        v1 = v0 + 3;
        v2 = v3 - strideB;
        high = fr;
        middle = fg;
        low = fb;
      } else if (fr >= fb) {
        v1 = v0 + 3;
        v2 = v3 - strideG;
        high = fr;
        middle = fb;
        low = fg;
      } else {
        v1 = v0 + strideB;
        v2 = v3 - strideG;
        high = fb;
        middle = fr;
        low = fg;
      }
    } else if (fr >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - strideB;
      high = fg;
      middle = fr;
      low = fb;
    } else if (fg >= fb) {
      v1 = v0 + strideG;
      v2 = v3 - 3;
      high = fg;
      middle = fb;
      low = fr;
    } else {
      v1 = v0 + strideB;
      v2 = v3 - 3;
      high = fb;
      middle = fg;
      low = fr;
    }
    const w0 = 1 - high;
    const w1 = high - middle;
    const w2 = middle - low;
    target[i] = table[v0] * w0 + table[v1] * w1 + table[v2] * w2 + table[v3] * low;
    target[i + 1] = table[v0 + 1] * w0 + table[v1 + 1] * w1 + table[v2 + 1] * w2 + table[v3 + 1] * low;
    target[i + 2] = table[v0 + 2] * w0 + table[v1 + 2] * w1 + table[v2 + 2] * w2 + table[v3 + 2] * low;
    if (channels === 4) target[i + 3] = source[i + 3]!;
  }
}

/** What the identity LUT does to float pixels: nothing but the clipping of what goes in. */
export function clipLoop(source: Float32Array, target: Float32Array, channels: number): void {
  for (let i = 0, end = source.length; i < end; i++) {
    target[i] = channels === 4 && i % 4 === 3 ? source[i] : clip(source[i]);
  }
}

/** Clips to [0,1]; NaN becomes 0. */
function clip(value: number): number {
  return value > 0 ? (value < 1 ? value : 1) : 0;
}
