import { endianness } from 'node:os';

export interface TiffLayout {
  readonly width: number;
  readonly height: number;
  /** 3 is RGB, 4 is CMYK. */
  readonly samples: number;
  readonly bits: 8 | 16;
  readonly icc?: Uint8Array | undefined;
  /** Bytes of pixels that follow the header. */
  readonly length: number;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const RGB = 2;
const SEPARATED = 5;

/**
 * All of an uncompressed TIFF (TIFF 6.0) but for its pixels, which follow in one strip, interleaved, in the byte order of
 * this machine.
 */
export function tiffHeader({ width, height, samples, bits, icc, length }: TiffLayout): Buffer {
  const little = endianness() === 'LE';
  const count = icc ? 11 : 10;
  const tableEnd = 8 + 2 + count * 12 + 4;
  const bitsAt = tableEnd;
  const iccAt = bitsAt + 2 * samples;
  const pixelsAt = iccAt + (icc?.length ?? 0) + ((icc?.length ?? 0) % 2);
  const entries: [number, number, number, number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, samples, bitsAt],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, samples === 4 ? SEPARATED : RGB],
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, samples],
    [278, LONG, 1, height],
    [279, LONG, 1, length],
    [284, SHORT, 1, 1],
    ...(icc ? [[34675, UNDEFINED, icc.length, iccAt] as [number, number, number, number]] : []),
  ];
  const bytes = Buffer.alloc(pixelsAt);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.write(little ? 'II' : 'MM', 0, 'latin1');
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, count, little);
  entries.forEach(([tag, type, values, value], i) => {
    const at = 10 + i * 12;
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, type, little);
    view.setUint32(at + 4, values, little);
    if (type === SHORT && values === 1) view.setUint16(at + 8, value, little);
    else view.setUint32(at + 8, value, little);
  });
  for (let i = 0; i < samples; i++) view.setUint16(bitsAt + 2 * i, bits, little);
  if (icc) bytes.set(icc, iccAt);
  return bytes;
}
