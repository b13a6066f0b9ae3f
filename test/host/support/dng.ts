import { exifBlock, type Entry } from './metadata';

export interface DngOptions {
  readonly width?: number;
  readonly height?: number;
  readonly orientation?: number;
  /** BaselineExposure in stops. */
  readonly exposure?: number;
  /** Numbers that the header states instead of the size, for files that lie. */
  readonly stated?: readonly [number, number];
  readonly compression?: number;
  /** The camera's own picture beside the raw pixels. */
  readonly preview?: { readonly jpeg: Buffer; readonly width: number; readonly height: number };
}

/** Linear sRGB, 0..1, of the light at a place. */
export type Scene = (x: number, y: number) => readonly [number, number, number];

/** A camera whose red and blue are half as sensitive as its green; its colors are those of sRGB. */
export const NEUTRAL = [0.5, 1, 0.5] as const;

/** The camera's ColorMatrix1: XYZ (D65) -> its own colors, linear sRGB by its sensitivity. */
const COLOR_MATRIX = [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057].map(
  (value, i) => value * NEUTRAL[Math.floor(i / 3)],
);

/** A DNG of 16 bits without compression: pixels of the scene behind RGGB filters. */
export function dng(scene: Scene, options: DngOptions = {}): Buffer {
  const { width = 64, height = 48, orientation = 1, exposure, stated = [width, height], compression = 1 } = options;
  const samples = Buffer.alloc(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const channel = (x & 1) + (y & 1);
      const light = scene(x, y)[channel] * NEUTRAL[channel];
      samples.writeUInt16LE(Math.round(Math.min(1, light) * 65535), 2 * (y * width + x));
    }
  }
  const entries: Entry[] = [
    [0x00fe, 4, [0]],
    [0x0100, 4, [stated[0]]],
    [0x0101, 4, [stated[1]]],
    [0x0102, 3, [16]],
    [0x0103, 3, [compression]],
    [0x0106, 3, [32803]],
    [0x010f, 2, 'Acme'],
    [0x0110, 2, 'Acme One'],
    [0x0111, 4, { data: samples }],
    [0x0112, 3, [orientation]],
    [0x0115, 3, [1]],
    [0x0116, 4, [stated[1]]],
    [0x0117, 4, [samples.length]],
    [0x828d, 3, [2, 2]],
    [0x828e, 1, [0, 1, 1, 2]],
    [0x8769, 4, { below: [[0x9003, 2, '2024:05:06 07:08:09'] as Entry] }],
    [0xc612, 1, [1, 4, 0, 0]],
    [0xc614, 2, 'Acme One'],
    [0xc61d, 4, [65535]],
    [0xc621, 10, COLOR_MATRIX],
    [0xc628, 10, [...NEUTRAL]],
    ...(exposure === undefined ? [] : [[0xc62a, 10, [exposure]] as Entry]),
    [0xc65a, 3, [21]],
  ];
  const { preview } = options;
  const second: Entry[] | undefined = preview && [
    [0x00fe, 4, [1]],
    [0x0100, 4, [preview.width]],
    [0x0101, 4, [preview.height]],
    [0x0102, 3, [8]],
    [0x0103, 3, [7]],
    [0x0106, 3, [6]],
    [0x0111, 4, { data: preview.jpeg }],
    [0x0115, 3, [3]],
    [0x0116, 4, [preview.height]],
    [0x0117, 4, [preview.jpeg.length]],
  ];
  return exifBlock(entries, second, true);
}
