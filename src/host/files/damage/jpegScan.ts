import { type BitReader, type HuffmanTable, JpegFault } from './jpegBits';

/** A component of a frame. */
export interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  /** Blocks of its own size, and in whole MCUs. */
  readonly blocksWide: number;
  readonly blocksHigh: number;
  readonly stride: number;
  /** Progressive: which coefficients are not zero, 64 for each block of whole MCUs. */
  readonly nonZero: Uint8Array;
  /** Lowest bit read so far of each coefficient; -1 where none was. */
  readonly precision: Int8Array;
}

export interface Scan {
  readonly components: readonly {
    readonly component: Component;
    readonly dc: HuffmanTable | undefined;
    readonly ac: HuffmanTable | undefined;
  }[];
  readonly progressive: boolean;
  /** Spectral selection and successive approximation (T.81, B.2.3). */
  readonly from: number;
  readonly to: number;
  readonly high: number;
  readonly low: number;
  readonly restartInterval: number;
  readonly mcusWide: number;
  readonly mcusHigh: number;
}

type Block = (bits: BitReader, block: number) => void;

/** Passes over the data of a scan and throws JpegFault where a code, a part or a restart marker is missing. */
export function walkScan(scan: Scan, bits: BitReader): void {
  const run = { left: 0 };
  const coders = scan.components.map(({ component, dc, ac }) => ({
    component,
    block: blockOf(scan, component, dc, ac, run),
  }));
  const single = coders.length === 1 ? coders[0] : undefined;
  const wide = single ? single.component.blocksWide : scan.mcusWide;
  const high = single ? single.component.blocksHigh : scan.mcusHigh;
  let restart = 0;
  for (let mcu = 0; mcu < wide * high; mcu++) {
    if (scan.restartInterval > 0 && mcu > 0 && mcu % scan.restartInterval === 0) {
      passRestart(bits, restart++ & 7);
      run.left = 0;
    }
    const x = mcu % wide;
    const y = (mcu - x) / wide;
    if (single) {
      single.block(bits, y * single.component.stride + x);
      continue;
    }
    for (const { component, block } of coders) {
      const { h, v, stride } = component;
      for (let row = 0; row < v; row++) {
        for (let column = 0; column < h; column++) block(bits, (y * v + row) * stride + x * h + column);
      }
    }
  }
}

function passRestart(bits: BitReader, expected: number): void {
  const { left, marker } = bits.toMarker();
  if (left > 0 || marker !== 0xd0 + expected) throw new JpegFault('a part of its picture data is missing or doubled');
  bits.passMarker();
}

function blockOf(
  scan: Scan,
  { nonZero }: Component,
  dc: HuffmanTable | undefined,
  ac: HuffmanTable | undefined,
  run: { left: number },
): Block {
  const { from, to, high, progressive } = scan;
  if (progressive && from === 0) {
    if (high > 0)
      return (bits) => {
        bits.drop(1);
      };
    return (bits) => {
      skipDc(bits, needed(dc));
    };
  }
  if (progressive) {
    const table = needed(ac);
    if (high === 0)
      return (bits, block) => {
        firstAc(bits, table, nonZero, block * 64, scan, run);
      };
    return (bits, block) => {
      refineAc(bits, table, nonZero.subarray(block * 64, block * 64 + 64), { from, to }, run);
    };
  }
  const table = needed(ac);
  const dcTable = needed(dc);
  return (bits) => {
    skipDc(bits, dcTable);
    skipAc(bits, table);
  };
}

function needed(table: HuffmanTable | undefined): HuffmanTable {
  if (table) return table;
  throw new JpegFault('a table for its picture data is missing');
}

function skipDc(bits: BitReader, table: HuffmanTable): void {
  const size = table.decode(bits);
  if (size > 15) throw new JpegFault('its picture data holds a code that means nothing');
  bits.drop(size);
}

function skipAc(bits: BitReader, table: HuffmanTable): void {
  for (let k = 1; k < 64; k++) {
    const code = table.decode(bits);
    const size = code & 15;
    if (size === 0) {
      if (code >> 4 !== 15) return;
      k += 15;
      continue;
    }
    k += code >> 4;
    if (k > 63) throw new JpegFault('its picture data runs over a block');
    bits.drop(size);
  }
}

/** T.81, G.1.2.2: first scan of a band, with runs of blocks that have ended. */
function firstAc(
  bits: BitReader,
  table: HuffmanTable,
  nonZero: Uint8Array,
  at: number,
  { from, to }: Pick<Scan, 'from' | 'to'>,
  run: { left: number },
): void {
  if (run.left > 0) {
    run.left--;
    return;
  }
  for (let k = from; k <= to; k++) {
    const code = table.decode(bits);
    const size = code & 15;
    const zeros = code >> 4;
    if (size === 0 && zeros < 15) {
      run.left = (1 << zeros) - 1 + number(bits, zeros);
      return;
    }
    k += zeros;
    if (size === 0) continue;
    if (k > to) throw new JpegFault('its picture data runs over a block');
    bits.drop(size);
    nonZero[at + k] = 1;
  }
}

/** T.81, G.1.2.3: one more bit for each coefficient that is not zero, and new ones between them. */
function refineAc(
  bits: BitReader,
  table: HuffmanTable,
  nonZero: Uint8Array,
  { from, to }: Pick<Scan, 'from' | 'to'>,
  run: { left: number },
): void {
  let k = from;
  while (run.left === 0 && k <= to) {
    const code = table.decode(bits);
    let zeros = code >> 4;
    const fresh = (code & 15) !== 0;
    if (!fresh && zeros < 15) {
      // This block is the first of the run.
      run.left = (1 << zeros) + number(bits, zeros);
      break;
    }
    if (fresh) bits.drop(1);
    for (; k <= to; k++) {
      if (nonZero[k]) bits.drop(1);
      else if (zeros-- === 0) break;
    }
    if (fresh && k > to) throw new JpegFault('its picture data runs over a block');
    if (fresh) nonZero[k] = 1;
    k++;
  }
  if (run.left === 0) return;
  for (; k <= to; k++) if (nonZero[k]) bits.drop(1);
  run.left--;
}

function number(bits: BitReader, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = (value << 1) | bits.bit();
  return value;
}
