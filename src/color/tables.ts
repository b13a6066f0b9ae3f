/** LUT values beyond this are clipped to it at 8 bits: the integers of that path hold no more. */
const MAX_OVERSHOOT = 4;
/** Fractional bits of an 8-bit table, where the values allow it: 1 is then 32640. */
const MAX_BYTE_BITS = 7;

/** A table for 8-bit pixels: levels times 2^bits, red, green, blue and a 0 for each grid point. */
export interface ByteTable {
  readonly values: Int16Array;
  /** 7 where all values are within [-1,1], down to 5 for an overshoot. */
  readonly bits: number;
}

/** The LUT's values in the form each pixel format's loop wants; made on first use and kept. */
export class LutTables {
  readonly data: Float32Array;
  readonly size: number;
  private byteTable: ByteTable | undefined;
  private wideTable: Float32Array | undefined;
  private unchanging: boolean | undefined;

  constructor(data: Float32Array, size: number) {
    this.data = data;
    this.size = size;
  }

  /** For 8 bits. */
  bytes(): ByteTable {
    this.byteTable ??= byteTable(this.data);
    return this.byteTable;
  }

  /** For 16 bits: the values as they are, red, green, blue and a 0 for each grid point. */
  wide(): Float32Array {
    this.wideTable ??= padded(this.data, new Float32Array((this.data.length / 3) * 4), (value) => value);
    return this.wideTable;
  }

  /** Whether this is the LUT that changes nothing, to the last bit of its floats. */
  isIdentity(): boolean {
    this.unchanging ??= isIdentity(this.data, this.size);
    return this.unchanging;
  }
}

function byteTable(data: Float32Array): ByteTable {
  let largest = 0;
  for (const value of data) largest = Math.max(largest, Math.abs(value));
  largest = Math.min(largest, MAX_OVERSHOOT);
  let bits = MAX_BYTE_BITS;
  while (Math.round(largest * 255 * 2 ** bits) > 32767) bits--;
  const scale = 255 * 2 ** bits;
  const scaled = (value: number): number =>
    Math.round(Math.max(-MAX_OVERSHOOT, Math.min(MAX_OVERSHOOT, value)) * scale);
  return { values: padded(data, new Int16Array((data.length / 3) * 4), scaled), bits };
}

function padded<T extends Int16Array | Float32Array>(
  data: Float32Array,
  table: T,
  convert: (value: number) => number,
): T {
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    table[to] = convert(data[from]);
    table[to + 1] = convert(data[from + 1]);
    table[to + 2] = convert(data[from + 2]);
  }
  return table;
}

function isIdentity(data: Float32Array, size: number): boolean {
  const levels = Float32Array.from({ length: size }, (_, i) => i / (size - 1));
  let i = 0;
  for (let b = 0; b < size; b++) {
    for (let g = 0; g < size; g++) {
      for (let r = 0; r < size; r++, i += 3) {
        if (data[i] !== levels[r] || data[i + 1] !== levels[g] || data[i + 2] !== levels[b]) return false;
      }
    }
  }
  return true;
}
