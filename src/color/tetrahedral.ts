import { ColorError } from './errors';
import { checkPixels, kindOf } from './pixels';

/** Pixel storage `Lut3D.apply` accepts. */
export type PixelArray = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

export interface ApplyOptions<T extends PixelArray> {
  /** Where to write: same type and length as the source. Default: in place. */
  readonly destination?: T;
  /** The value that means 1.0 in a Uint16Array: 65535 (default) or 32768. */
  readonly maximum?: 65535 | 32768;
}

/*
 * Tetrahedral interpolation (Kasson, Plouffe, Nin 1993; the rule most LUT hosts use). A cell of the grid is split
 * into six tetrahedra by the order of the fractional coordinates. With fMax >= fMid >= fMin and the path from the
 * cell's low corner v0 to its high corner v3 that steps along the axis of fMax first (v1), then of fMid (v2):
 *
 *   out = v0 * (1 - fMax) + v1 * (fMax - fMid) + v2 * (fMid - fMin) + v3 * fMin
 *
 * The neutral axis runs along v0 -> v3, so greys never mix with colours. At equal fractions either order is right:
 * the vertex in question then has weight 0.
 */

/** One colour; see `Lut3D.sample`. */
export function interpolate(
  data: Float32Array,
  size: number,
  r: number,
  g: number,
  b: number,
): [number, number, number] {
  const color = new Float32Array([r, g, b]);
  floatLoop(data, size, color, color, 3, 1, false);
  return [color[0], color[1], color[2]];
}

/** The LUT's values in the units each pixel format's loop wants; made on first use and kept. */
export class LutTables {
  private readonly data: Float32Array;
  private byteTable: Int32Array | undefined;
  private readonly wideTables = new Map<number, Float32Array>();

  constructor(data: Float32Array) {
    this.data = data;
  }

  /** For 8 bits: 1/128 levels. */
  bytes(): Int32Array {
    if (!this.byteTable) {
      this.byteTable = new Int32Array(this.data.length);
      for (let i = 0; i < this.data.length; i++) {
        const value = Math.max(-MAX_OVERSHOOT, Math.min(MAX_OVERSHOOT, this.data[i]));
        this.byteTable[i] = Math.round(value * 255 * (1 << TABLE_BITS));
      }
    }
    return this.byteTable;
  }

  /** For 16 bits and floats: `maximum` means 1. */
  wide(maximum: number): Float32Array {
    let table = this.wideTables.get(maximum);
    if (!table) {
      table = maximum === 1 ? this.data : this.data.map((value) => value * maximum);
      this.wideTables.set(maximum, table);
    }
    return table;
  }
}

/** See `Lut3D.apply`. */
export function applyTetrahedral<T extends PixelArray>(
  tables: LutTables,
  size: number,
  pixels: T,
  channels: 3 | 4,
  options: ApplyOptions<T>,
): T {
  const destination = options.destination ?? pixels;
  const maximum = checkPixels(pixels, channels, options.maximum);
  const kind = kindOf(pixels);
  if (kindOf(destination) !== kind || destination.length !== pixels.length) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `The destination must be a ${kind} of length ${pixels.length}, ` +
        `got a ${kindOf(destination)} of length ${destination.length}.`,
    );
  }
  if (kind === 'Float32Array') {
    const table = tables.wide(maximum);
    floatLoop(table, size, pixels as Float32Array, destination as Float32Array, channels, maximum, false);
  } else if (kind === 'Uint16Array') {
    const table = tables.wide(maximum);
    floatLoop(table, size, pixels as Uint16Array, destination as Uint16Array, channels, maximum, true);
  } else {
    byteLoop(tables.bytes(), size, bytes(pixels), bytes(destination), channels);
  }
  return destination;
}

/** The same memory without Uint8ClampedArray's own rounding, which would round a second time. */
function bytes(pixels: PixelArray): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
}

/** Weights of the 8-bit loop are 14-bit integers and its table counts 1/128 levels: products stay below 2^31. */
const WEIGHT_BITS = 14;
const WEIGHT_ONE = 1 << WEIGHT_BITS;
const TABLE_BITS = 7;
const SHIFT = WEIGHT_BITS + TABLE_BITS;
const HALF = 1 << (SHIFT - 1);
/** LUT values beyond this overflow the 8-bit loop's integers; such a LUT is clipped here before interpolation. */
const MAX_OVERSHOOT = 4;

/** 8-bit pixels in integer arithmetic; its error against the float loop is below 0.01 level before rounding. */
function byteLoop(table: Int32Array, size: number, source: Uint8Array, target: Uint8Array, channels: number): void {
  const strideG = 3 * size;
  const strideB = 3 * size * size;
  const strideAll = 3 + strideG + strideB;
  // Per level: the grid cell it falls into (as offset along red) and its fraction inside that cell.
  const cell = new Int32Array(256);
  const fraction = new Int32Array(256);
  for (let value = 0; value < 256; value++) {
    const position = (value * (size - 1)) / 255;
    const index = Math.min(Math.floor(position), size - 2);
    cell[value] = 3 * index;
    fraction[value] = Math.round((position - index) * WEIGHT_ONE);
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
    const w0 = WEIGHT_ONE - high;
    const w1 = high - middle;
    const w2 = middle - low;
    const red =
      (Math.imul(table[v0], w0) +
        Math.imul(table[v1], w1) +
        Math.imul(table[v2], w2) +
        Math.imul(table[v3], low) +
        HALF) >>
      SHIFT;
    const green =
      (Math.imul(table[v0 + 1], w0) +
        Math.imul(table[v1 + 1], w1) +
        Math.imul(table[v2 + 1], w2) +
        Math.imul(table[v3 + 1], low) +
        HALF) >>
      SHIFT;
    const blue =
      (Math.imul(table[v0 + 2], w0) +
        Math.imul(table[v1 + 2], w1) +
        Math.imul(table[v2 + 2], w2) +
        Math.imul(table[v3 + 2], low) +
        HALF) >>
      SHIFT;
    target[i] = red < 0 ? 0 : red > 255 ? 255 : red;
    target[i + 1] = green < 0 ? 0 : green > 255 ? 255 : green;
    target[i + 2] = blue < 0 ? 0 : blue > 255 ? 255 : blue;
    if (channels === 4) target[i + 3] = source[i + 3]!;
  }
}

/**
 * 16-bit and float pixels. `table` is in units of the output, `maximum` is the input value that means 1.0.
 * With `toLevels` results are clipped to 0..maximum and rounded to nearest.
 */
function floatLoop<T extends Uint16Array | Float32Array>(
  table: Float32Array,
  size: number,
  source: T,
  target: T,
  channels: number,
  maximum: number,
  toLevels: boolean,
): void {
  const cells = size - 1;
  const scale = cells / maximum;
  const strideG = 3 * size;
  const strideB = 3 * size * size;
  const strideAll = 3 + strideG + strideB;
  for (let i = 0, end = source.length; i < end; i += channels) {
    const r = clip(source[i], maximum) * scale;
    const g = clip(source[i + 1], maximum) * scale;
    const b = clip(source[i + 2], maximum) * scale;
    // The maximum itself belongs to the last cell, with fraction 1.
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
    const red = table[v0] * w0 + table[v1] * w1 + table[v2] * w2 + table[v3] * low;
    const green = table[v0 + 1] * w0 + table[v1 + 1] * w1 + table[v2 + 1] * w2 + table[v3 + 1] * low;
    const blue = table[v0 + 2] * w0 + table[v1 + 2] * w1 + table[v2 + 2] * w2 + table[v3 + 2] * low;
    target[i] = toLevels ? clipLevel((red + 0.5) | 0, maximum) : red;
    target[i + 1] = toLevels ? clipLevel((green + 0.5) | 0, maximum) : green;
    target[i + 2] = toLevels ? clipLevel((blue + 0.5) | 0, maximum) : blue;
    if (channels === 4) target[i + 3] = source[i + 3]!;
  }
}

/** Clips to [0,maximum]; NaN becomes 0. */
function clip(value: number, maximum: number): number {
  return value > 0 ? (value < maximum ? value : maximum) : 0;
}

/** Clips an integer to 0..maximum. */
function clipLevel(value: number, maximum: number): number {
  return value < 0 ? 0 : value > maximum ? maximum : value;
}
