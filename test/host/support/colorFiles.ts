import { crc32, deflateSync } from 'node:zlib';
import { type Entry, exifBlock } from './metadata';

/** A PNG (whose header ends at byte 33) with further chunks behind its header. */
export function withChunks(png: Buffer, ...chunks: [type: string, data: Buffer][]): Buffer {
  return Buffer.concat([png.subarray(0, 33), ...chunks.map(([type, data]) => pngChunk(type, data)), png.subarray(33)]);
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

export const profileChunk = (profile: Uint8Array): [string, Buffer] => [
  'iCCP',
  Buffer.concat([Buffer.from('test\0\0', 'latin1'), deflateSync(profile)]),
];

/** cHRM: white, red, green, blue, x and y each. */
export const chromaticities = (...xy: number[]): [string, Buffer] => [
  'cHRM',
  Buffer.concat(xy.map((value) => uint32(Math.round(value * 100000)))),
];

/** gAMA: the exponent of encoding. */
export const exponent = (value: number): [string, Buffer] => ['gAMA', uint32(Math.round(value * 100000))];

export const coded = (primaries: number, transfer: number): [string, Buffer] => [
  'cICP',
  Buffer.from([primaries, transfer, 0, 1]),
];

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A JPEG with an EXIF block as cameras write it: Make, ColorSpace and, where given, an interoperability index. */
export function withCameraExif(jpeg: Buffer, colorSpace: number, index?: string, make = 'Cam'): Buffer {
  const block = cameraExif(colorSpace, index, make);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(block.length + 8);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xe1]),
    length,
    Buffer.from('Exif\0\0'),
    block,
    jpeg.subarray(2),
  ]);
}

/** Three directories of little-endian TIFF: main at 8, EXIF at 38, interoperability at 68. */
export function cameraExif(colorSpace: number, index?: string, make = 'Cam'): Buffer {
  const entry = (tag: number, type: number, count: number, value: number | string): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    if (typeof value === 'string') bytes.write(value, 8, 'latin1');
    else bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const directory = (...entries: Buffer[]): Buffer => {
    const count = Buffer.alloc(2);
    count.writeUInt16LE(entries.length);
    return Buffer.concat([count, ...entries, Buffer.alloc(4)]);
  };
  return Buffer.concat([
    Buffer.from('II*\0\x08\0\0\0', 'latin1'),
    directory(entry(0x010f, 2, 4, `${make}\0`), entry(0x8769, 4, 1, 38)),
    directory(entry(0xa001, 3, 1, colorSpace), ...(index ? [entry(0xa005, 4, 1, 68)] : [])),
    ...(index ? [directory(entry(1, 2, 4, `${index}\0`))] : []),
  ]);
}

export interface TiffPicture {
  readonly width: number;
  readonly height: number;
  /** One strip, as it is stored. */
  readonly data: Buffer;
  readonly samples?: number;
  readonly bits?: number;
  readonly compression?: number;
  readonly photometric?: number;
}

/** A TIFF of one strip, with further tags. */
export function tiffFile(picture: TiffPicture, more: readonly Entry[] = []): Buffer {
  const { width, height, data, samples = 3, bits = 8, compression = 1, photometric = 2 } = picture;
  const entries: Entry[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array.from({ length: samples }, () => bits)],
    [259, 3, [compression]],
    [262, 3, [photometric]],
    [273, 4, { data }],
    [277, 3, [samples]],
    [278, 4, [height]],
    [279, 4, [data.length]],
    ...more,
  ];
  return exifBlock(entries.sort((a, b) => a[0] - b[0]));
}
