export interface BmpRecipe {
  readonly width: number;
  /** Negative: rows from the top. */
  readonly height: number;
  readonly bits: number;
  /** biCompression. */
  readonly compression?: number;
  /** Length of the header: 12 (OS/2), 40, 52, 56, 108 or 124. */
  readonly header?: number;
  /** Blue, green, red, 0 for each color; three bytes for OS/2. */
  readonly palette?: readonly number[];
  readonly masks?: readonly number[];
  /** What follows the palette. */
  readonly pixels: Uint8Array;
  readonly icc?: Uint8Array;
}

/** A BMP by its documentation (BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER). */
export function bmpFile(recipe: BmpRecipe): Buffer {
  const { width, height, bits, compression = 0, header = 40, palette = [], masks = [], pixels, icc } = recipe;
  const head = Buffer.alloc(header);
  head.writeUInt32LE(header, 0);
  if (header === 12) {
    [width, height, 1, bits].forEach((value, i) => head.writeUInt16LE(value, 4 + 2 * i));
  } else {
    head.writeInt32LE(width, 4);
    head.writeInt32LE(height, 8);
    head.writeUInt16LE(1, 12);
    head.writeUInt16LE(bits, 14);
    head.writeUInt32LE(compression, 16);
    head.writeInt32LE(11811, 24);
    head.writeInt32LE(11811, 28);
    head.writeUInt32LE(header === 12 ? 0 : palette.length / 4, 32);
  }
  const within = header > 40 ? masks : [];
  within.forEach((mask, i) => head.writeUInt32LE(mask, 40 + 4 * i));
  const behind = Buffer.alloc(header > 40 ? 0 : 4 * masks.length);
  if (header <= 40) masks.forEach((mask, i) => behind.writeUInt32LE(mask, 4 * i));
  const at = 14 + header + behind.length + palette.length;
  if (icc) {
    head.writeUInt32LE(0x4d424544, 56);
    head.writeUInt32LE(at - 14 + pixels.length, 112);
    head.writeUInt32LE(icc.length, 116);
  } else if (header >= 108) {
    head.write('BGRs', 56, 'latin1');
  }
  const file = Buffer.alloc(14);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(at + pixels.length, 2);
  file.writeUInt32LE(at, 10);
  return Buffer.concat([file, head, behind, Buffer.from(palette), pixels, icc ?? Buffer.alloc(0)]);
}

/** Rows of bytes, each filled up to a multiple of four. */
export function padded(rows: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(rows.flatMap((row) => [...row, ...Array.from({ length: -row.length & 3 }, () => 0)]));
}
