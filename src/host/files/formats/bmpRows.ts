import { damaged } from '../photoErrors';
import { type ByteSource } from '../tiffTree';
import { type BmpHeader } from './bmpHeader';

/** The rows of a BMP in the order of the file, as red, green, blue, alpha. One array is used for all of them. */
export function rowsOf(file: string, source: ByteSource, header: BmpHeader): Generator<Uint8Array> {
  if (header.packing !== 'none') return packedRows(file, source, header);
  return plainRows(file, source, header);
}

function* plainRows(file: string, source: ByteSource, header: BmpHeader): Generator<Uint8Array> {
  const { width, height, bits, at } = header;
  // Rows begin at multiples of four bytes; the last one may lack its padding.
  const stored = Math.ceil((width * bits) / 8);
  const stride = Math.ceil(stored / 4) * 4;
  if (!source.read(at + stride * (height - 1) + stored - 1, 1)) throw damaged(file, 'its pixels end early');
  const row = new Uint8Array(4 * width);
  const read = bits <= 8 ? paletteReader(header) : bits === 24 ? readTrue : fieldReader(header);
  for (let y = 0; y < height; y++) {
    const bytes = source.read(at + y * stride, stored);
    if (!bytes) throw damaged(file, 'its pixels end early');
    read(bytes, row, width);
    yield row;
  }
}

type RowReader = (bytes: Uint8Array, row: Uint8Array, width: number) => void;

function paletteReader({ bits, palette = new Uint8Array(768) }: BmpHeader): RowReader {
  const mask = 2 ** bits - 1;
  return (bytes, row, width) => {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      setColor(row, x, palette, (bytes[bit >> 3] >> (8 - bits - (bit & 7))) & mask);
    }
  };
}

function setColor(row: Uint8Array, x: number, palette: Uint8Array, index: number): void {
  for (let c = 0; c < 3; c++) row[4 * x + c] = palette[3 * index + c];
  row[4 * x + 3] = 255;
}

function readTrue(bytes: Uint8Array, row: Uint8Array, width: number): void {
  for (let x = 0; x < width; x++) {
    for (let c = 0; c < 3; c++) row[4 * x + c] = bytes[3 * x + 2 - c];
    row[4 * x + 3] = 255;
  }
}

/** Each field's bits, wherever they are, spread over 0..255. */
function fieldReader({ bits, fields }: BmpHeader): RowReader {
  const shifts = [0, 1, 2, 3].map((c) => {
    const mask = (fields?.[c as 0] ?? 0) >>> 0;
    // From the lowest bit that is set to the highest: what is between counts, as the field is one number.
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, top: mask >>> shift };
  });
  return (bytes, row, width) => {
    for (let x = 0; x < width; x++) {
      const at = x * (bits / 8);
      const low = bytes[at] | (bytes[at + 1] << 8);
      const pixel = bits === 16 ? low : (low | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
      for (let c = 0; c < 4; c++) {
        const { mask, shift, top } = shifts[c];
        row[4 * x + c] = top === 0 ? (c === 3 ? 255 : 0) : Math.round((((pixel & mask) >>> shift) * 255) / top);
      }
    }
  };
}

/** Bytes of the file that are looked at together. */
const CHUNK = 1 << 16;

/** Bytes one after another; undefined behind the end of the file. */
function byteReader(source: ByteSource, start: number): () => number | undefined {
  let chunk: Uint8Array | undefined = new Uint8Array(0);
  let at = start;
  let within = 0;
  return () => {
    if (!chunk) return undefined;
    if (within === chunk.length) {
      at += within;
      within = 0;
      let size = CHUNK;
      for (chunk = undefined; !chunk && size > 0; size >>= 1) chunk = source.read(at, size);
      if (!chunk) return undefined;
    }
    return chunk[within++];
  };
}

/**
 * RLE4 and RLE8: runs, stretches of single pixels, jumps to the right and up, ends of rows and of the picture. What is
 * passed over is color 0. Never gives more rows than the picture has.
 */
function* packedRows(file: string, source: ByteSource, header: BmpHeader): Generator<Uint8Array> {
  const { width, height, packing, palette = new Uint8Array(768) } = header;
  const next = byteReader(source, header.at);
  const byte = (): number => {
    const value = next();
    if (value === undefined) throw damaged(file, 'its pixels end early');
    return value;
  };
  const row = new Uint8Array(4 * width);
  const clear = (): void => {
    for (let x = 0; x < width; x++) setColor(row, x, palette, 0);
  };
  const half = packing === 'rle4';
  /** Two pixels of four bits in a byte, the left one in the upper bits. */
  const nibble = (pair: number, i: number): number => (half ? (i % 2 === 0 ? pair >> 4 : pair & 15) : pair);
  clear();
  // The first bytes, so that nothing is given for a file without any.
  let count = byte();
  let x = 0;
  for (let y = 0; y < height;) {
    const value = byte();
    let rowsOn = 0;
    if (count > 0) {
      for (let i = 0; i < count && x < width; i++) setColor(row, x++, palette, nibble(value, i));
    } else if (value === 0) {
      rowsOn = 1;
      x = 0;
    } else if (value === 1) {
      rowsOn = height - y;
    } else if (value === 2) {
      x = Math.min(width, x + byte());
      rowsOn = Math.min(byte(), height - y);
    } else {
      const stored = half ? Math.ceil(value / 2) : value;
      let pair = 0;
      for (let i = 0; i < value; i++) {
        if (!half || i % 2 === 0) pair = byte();
        if (x < width) setColor(row, x++, palette, nibble(pair, i));
      }
      if (stored % 2 === 1) byte();
    }
    for (; rowsOn > 0; rowsOn--, y++) {
      yield row;
      clear();
    }
    if (y < height) count = byte();
  }
}
