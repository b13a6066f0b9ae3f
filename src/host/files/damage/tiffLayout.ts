import { type ByteSource, TiffTree, entryOf } from '../tiffTree';

/** How the first picture of a TIFF file is stored (TIFF 6.0; numbers as in its tags). */
export interface TiffLayout {
  readonly compression: number;
  readonly bits: number;
  readonly photometric: number;
  readonly samples: number;
  /** Of YCbCr: pixels that share one color, across and down. */
  readonly subsampling: readonly number[];
  /** 1: interleaved; 2: one plane after another. */
  readonly planar: number;
  readonly fillOrder: number;
  /** ExtraSamples: 0 unspecified, 1 premultiplied, 2 plain transparency. */
  readonly extras: readonly number[];
  readonly tiled: boolean;
  readonly width: number;
  readonly height: number;
  /** Of a tile, or of a strip. */
  readonly chunkWidth: number;
  readonly chunkHeight: number;
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
  readonly jpegTables: Uint8Array | undefined;
}

const TAGS = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  jpegTables: 347,
  subsampling: 530,
} as const;
/** Strips of one row in the tallest picture that is read, in five planes. */
const MAX_CHUNKS = 150_000;
const MAX_TABLES = 1 << 16;

/** Undefined where the file has no directory that can be read. */
export function tiffLayout(source: ByteSource): TiffLayout | undefined {
  const tree = TiffTree.open(source);
  const directory = tree?.directory(tree.first);
  if (!tree || !directory) return undefined;
  const numbers = (name: keyof typeof TAGS, limit = 64): number[] =>
    tree.numbers(entryOf(directory, TAGS[name]), limit);
  const number = (name: keyof typeof TAGS, missing: number): number => numbers(name, 1)[0] ?? missing;
  const tiled = entryOf(directory, TAGS.tileWidth) !== undefined;
  const [width, height] = [number('width', 0), number('height', 0)];
  const tables = entryOf(directory, TAGS.jpegTables);
  return {
    compression: number('compression', 1),
    bits: number('bits', 1),
    photometric: number('photometric', 0),
    samples: number('samples', 1),
    // TIFF 6.0, section 21: 2 by 2 where it is not stated.
    subsampling: entryOf(directory, TAGS.subsampling) ? numbers('subsampling') : [2, 2],
    planar: number('planar', 1),
    fillOrder: number('fillOrder', 1),
    extras: numbers('extraSamples'),
    tiled,
    width,
    height,
    chunkWidth: tiled ? number('tileWidth', 0) : width,
    chunkHeight: tiled ? number('tileHeight', 0) : Math.min(height, number('rowsPerStrip', height)),
    offsets: numbers(tiled ? 'tileOffsets' : 'stripOffsets', MAX_CHUNKS),
    byteCounts: numbers(tiled ? 'tileByteCounts' : 'stripByteCounts', MAX_CHUNKS),
    jpegTables: tables && tables.valueLength <= MAX_TABLES ? tree.bytes(tables) : undefined,
  };
}

/** Rows that strip or tile `index` holds: the last strip of a plane may be shorter, tiles are padded. */
export function rowsOf({ tiled, height, chunkHeight }: TiffLayout, index: number): number {
  if (tiled) return chunkHeight;
  const perPlane = Math.ceil(height / chunkHeight);
  return Math.min(chunkHeight, height - (index % perPlane) * chunkHeight);
}

/** How many strips or tiles there must be. */
export function chunksOf({ width, height, chunkWidth, chunkHeight, planar, samples }: TiffLayout): number {
  const planes = planar === 2 ? samples : 1;
  return Math.ceil(width / chunkWidth) * Math.ceil(height / chunkHeight) * planes;
}

/**
 * What the TIFF is, for people, where the image library would decode it without a word into another picture: of YCbCr that is
 * neither JPEG nor subsampled it takes the numbers for RGB. Else undefined.
 */
export function misreadTiff({ photometric, compression, subsampling }: TiffLayout): string | undefined {
  const plain = compression !== JPEG && subsampling.every((value) => value === 1);
  return photometric === YCBCR && plain ? 'in YCbCr color without JPEG compression' : undefined;
}

/** What the TIFF is, for people, where that is a thing the image library does not read; else undefined. */
export function unreadTiff(layout: TiffLayout): string | undefined {
  const coding = CODINGS.get(layout.compression);
  if (coding) return `compressed as ${coding}`;
  if (LAB.includes(layout.photometric)) return 'in Lab color';
  if (!COLORS.includes(layout.photometric)) return `in colors of another kind (${layout.photometric})`;
  const { bits, samples } = layout;
  if (!(samples > 1 ? DEEP_BITS : BITS).includes(bits))
    return `with ${bits} ${bits === 1 ? 'bit' : 'bits'} per channel`;
  if (layout.tiled && layout.planar === 2 && samples > 1) return 'in tiles with one plane for each channel';
  return KNOWN.includes(layout.compression) ? undefined : `compressed in the way ${layout.compression}`;
}

/** None, CCITT (three ways), LZW, JPEG, Deflate (two numbers), PackBits. */
const KNOWN = [1, 2, 3, 4, 5, 7, 8, 32946, 32773];
const CODINGS = new Map([
  [6, 'old-style JPEG'],
  [34661, 'JBIG'],
  [34712, 'JPEG 2000'],
  [34887, 'LERC'],
  [34925, 'LZMA'],
  [50000, 'Zstandard'],
  [50001, 'WebP'],
  [50002, 'JPEG XL'],
]);
const JPEG = 7;
const YCBCR = 6;
/** Gray (two ways), RGB, palette, inks, YCbCr. */
const COLORS = [0, 1, 2, 3, 5, 6];
/** CIE, ICC and ITU. */
const LAB = [8, 9, 10];
/** 32 bits are told by the type of their values. */
const DEEP_BITS = [8, 16, 32];
/** Of gray and of colors from a palette. */
const BITS = [1, 2, 4, ...DEEP_BITS];
