import { ENTRY_BYTES, entryOf, inMemory, type TiffDirectory, type TiffEntry, TiffTree } from './tiffTree';

/** What is true of the picture that an EXIF block is to describe from now on. */
export interface ExifFacts {
  readonly width: number;
  readonly height: number;
  /** What the picture's numbers are. */
  readonly colors: 'srgb' | 'adobe-rgb' | 'other';
}

/** Tags of EXIF 2.32. */
export const TAG = {
  imageWidth: 0x0100,
  imageLength: 0x0101,
  stripOffsets: 0x0111,
  orientation: 0x0112,
  stripByteCounts: 0x0117,
  thumbnail: 0x0201,
  thumbnailLength: 0x0202,
  exif: 0x8769,
  gps: 0x8825,
  makerNote: 0x927c,
  colorSpace: 0xa001,
  pixelXDimension: 0xa002,
  pixelYDimension: 0xa003,
  interoperability: 0xa005,
} as const;

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
/** ColorSpace where it is not sRGB. */
const UNCALIBRATED = 65535;
const INTEROPERABILITY_INDEX = 0x0001;
/** More than any camera writes. */
const MAX_BYTES = 8 << 20;
/** Directories behind the first one that are looked at; EXIF knows one. */
const MAX_FURTHER = 8;
const PREFIX = [0x45, 0x78, 0x69, 0x66, 0, 0];

/**
 * An EXIF block (from "II" or "MM" on; a prefix "Exif" is taken off) for the turned and retouched picture: Orientation
 * upright, sizes as they are now. The thumbnail is unlinked and its bytes are emptied: it shows the unretouched photo.
 * All else stays where it is, since makers' notes refer to places in the block. A preview inside a maker's note stays
 * too: only the maker's own programs know it.
 *
 * Returns undefined for what is no EXIF block or too large. The bytes given are not changed.
 */
export function uprightExif(source: Uint8Array, facts: ExifFacts): Uint8Array | undefined {
  const start = PREFIX.every((byte, i) => source[i] === byte) ? PREFIX.length : 0;
  if (source.length > MAX_BYTES) return undefined;
  // A copy of its own: a Buffer's slice would be a view of the bytes given.
  const bytes = new Uint8Array(source.subarray(start));
  const tree = TiffTree.open(inMemory(bytes));
  const main = tree?.directory(tree.first);
  if (!tree || tree.big || !main) return undefined;
  const below = (parent: TiffDirectory | undefined, tag: number): TiffDirectory | undefined =>
    tree.directory(tree.numbers(entryOf(parent, tag))[0] ?? 0);
  const exif = below(main, TAG.exif);
  const kept = [main, exif, below(main, TAG.gps), below(exif, TAG.interoperability)];

  const further: TiffDirectory[] = [];
  for (let at = main.next; further.length < MAX_FURTHER;) {
    const directory = tree.directory(at);
    if (!directory) break;
    further.push(directory);
    at = directory.next;
  }
  const pictures = further.flatMap((directory) => thumbnails(tree, directory));
  clear(bytes, pictures, usedBy(kept.filter((directory) => directory !== undefined)));

  const view = new DataView(bytes.buffer);
  const set = (entry: TiffEntry | undefined, type: typeof SHORT | typeof LONG, value: number): void => {
    if (!entry) return;
    view.setUint16(entry.at + 2, type, tree.littleEndian);
    view.setUint32(entry.at + 4, 1, tree.littleEndian);
    view.setUint32(entry.at + 8, 0, tree.littleEndian);
    if (type === SHORT) view.setUint16(entry.at + 8, value, tree.littleEndian);
    else view.setUint32(entry.at + 8, value, tree.littleEndian);
  };
  set(entryOf(main, TAG.orientation), SHORT, 1);
  set(entryOf(main, TAG.imageWidth), LONG, facts.width);
  set(entryOf(main, TAG.imageLength), LONG, facts.height);
  set(entryOf(exif, TAG.pixelXDimension), LONG, facts.width);
  set(entryOf(exif, TAG.pixelYDimension), LONG, facts.height);
  set(entryOf(exif, TAG.colorSpace), SHORT, facts.colors === 'srgb' ? 1 : UNCALIBRATED);
  setIndex(bytes, entryOf(below(exif, TAG.interoperability), INTEROPERABILITY_INDEX), facts.colors);
  view.setUint32(main.at + main.length - 4, 0, tree.littleEndian);
  // Directories that lie across each other are no EXIF: setting one has damaged the other.
  const after = tree.directory(main.at);
  return after?.length === main.length && after.next === 0 ? bytes : undefined;
}

/**
 * DCF's word for the color space: R98 for sRGB, R03 for Adobe RGB, nothing for any other. "THM", which marks a thumbnail,
 * and what is no such word stays.
 */
function setIndex(bytes: Uint8Array, entry: TiffEntry | undefined, colors: ExifFacts['colors']): void {
  if (entry?.type !== ASCII || entry.valueLength !== 4) return;
  const index = bytes.subarray(entry.valueAt, entry.valueAt + 4);
  if (!/^R(98|03)\0$/.test(String.fromCharCode(...index))) return;
  index.set({ srgb: [0x52, 0x39, 0x38], 'adobe-rgb': [0x52, 0x30, 0x33], other: [0, 0, 0] }[colors]);
}

/** From the first byte to the one behind the last. */
type Range = readonly [number, number];

function thumbnails(tree: TiffTree, directory: TiffDirectory): Range[] {
  const ranges: Range[] = [];
  for (const [place, size] of [
    [TAG.thumbnail, TAG.thumbnailLength],
    [TAG.stripOffsets, TAG.stripByteCounts],
  ] as const) {
    const lengths = tree.numbers(entryOf(directory, size));
    tree.numbers(entryOf(directory, place)).forEach((at, i) => ranges.push([at, at + (lengths[i] ?? 0)]));
  }
  return ranges;
}

function usedBy(directories: readonly TiffDirectory[]): Range[] {
  const header: Range = [0, 8];
  const tables = directories.map(({ at, length }): Range => [at, at + length]);
  const values = directories.flatMap(({ entries }) =>
    entries.map(({ valueAt, valueLength }): Range => [valueAt, valueAt + valueLength]),
  );
  return [header, ...tables, ...values].sort((a, b) => a[0] - b[0]);
}

/** Empties the ranges, but for what lies in `used` (sorted by start): a forged thumbnail must not empty the rest. */
function clear(bytes: Uint8Array, ranges: readonly Range[], used: readonly Range[]): void {
  for (const [start, end] of ranges) {
    let from = start;
    for (const [usedStart, usedEnd] of used) {
      if (usedEnd <= from) continue;
      if (usedStart >= end) break;
      if (usedStart > from) bytes.fill(0, from, usedStart);
      from = usedEnd;
    }
    if (from < end) bytes.fill(0, from, end);
  }
}

/** What is taken over from the first directory of a TIFF file: what is about the photo, not about how it is stored. */
const TIFF_TAGS: ReadonlySet<number> = new Set([
  0x010e, // ImageDescription
  0x010f, // Make
  0x0110, // Model
  TAG.orientation,
  0x011a, // XResolution
  0x011b, // YResolution
  0x0128, // ResolutionUnit
  0x0131, // Software
  0x0132, // DateTime
  0x013b, // Artist
  0x013c, // HostComputer
  0x4746, // Rating
  0x4749, // RatingPercent
  0x8298, // Copyright
  0x9c9b, // XPTitle
  0x9c9c, // XPComment
  0x9c9d, // XPAuthor
  0x9c9e, // XPKeywords
  0x9c9f, // XPSubject
]);
/** Values larger than this are no words of a photographer. */
const MAX_VALUE = 1 << 16;

interface NewEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: Uint8Array | NewDirectory;
}
type NewDirectory = readonly NewEntry[];

/**
 * The EXIF block that a TIFF file holds spread over its directories, brought together. Makers' notes are left out:
 * they refer to places in the file. `parts`: where EXIF's and GPS's directories are the first ones of structures of
 * their own, in the byte order of the file (CR3). Undefined where there is nothing to be taken over.
 */
export function exifOfTiff(
  tree: TiffTree,
  parts: { exif?: TiffTree | undefined; gps?: TiffTree | undefined } = {},
): Uint8Array | undefined {
  const main = tree.directory(tree.first);
  if (!main) return undefined;
  const copy = (directory: TiffDirectory | undefined, wanted: (tag: number) => boolean, from = tree): NewEntry[] =>
    (directory?.entries ?? []).flatMap((entry) => {
      // Types beyond 13 are BigTIFF's own.
      if (!wanted(entry.tag) || entry.type > 13) return [];
      if (entry.valueLength === 0 || entry.valueLength > MAX_VALUE) return [];
      const value = from.bytes(entry);
      return value ? [{ tag: entry.tag, type: entry.type, count: entry.count, value }] : [];
    });
  const below = (tag: number, part: TiffTree | undefined, wanted: (tag: number) => boolean): NewEntry[] => {
    const from = part?.littleEndian === tree.littleEndian ? part : tree;
    const at = from === part ? part.first : (tree.numbers(entryOf(main, tag))[0] ?? 0);
    const entries = copy(from.directory(at), wanted, from);
    return entries.length > 0 ? [{ tag, type: LONG, count: 1, value: entries }] : [];
  };
  const ofExif = (tag: number): boolean => tag !== TAG.makerNote && tag !== TAG.interoperability;
  const entries = [
    ...copy(main, (tag) => TIFF_TAGS.has(tag)),
    ...below(TAG.exif, parts.exif, ofExif),
    ...below(TAG.gps, parts.gps, () => true),
  ];
  return entries.length > 0 ? writeTiff(entries, tree.littleEndian) : undefined;
}

function writeTiff(main: NewDirectory, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(8 + sizeOf(main));
  const view = new DataView(bytes.buffer);
  bytes.fill(littleEndian ? 0x49 : 0x4d, 0, 2);
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  write(main, 8);
  return bytes;

  /** Writes a directory and what belongs to it at `at`; returns the end. */
  function write(directory: NewDirectory, at: number): number {
    const sorted = [...directory].sort((a, b) => a.tag - b.tag);
    let end = at + tableSize(directory);
    view.setUint16(at, sorted.length, littleEndian);
    sorted.forEach(({ tag, type, count, value }, i) => {
      const entry = at + 2 + i * ENTRY_BYTES;
      view.setUint16(entry, tag, littleEndian);
      view.setUint16(entry + 2, type, littleEndian);
      view.setUint32(entry + 4, count, littleEndian);
      if (value instanceof Uint8Array && value.length <= 4) {
        bytes.set(value, entry + 8);
        return;
      }
      view.setUint32(entry + 8, end, littleEndian);
      if (value instanceof Uint8Array) {
        bytes.set(value, end);
        end += even(value.length);
      } else {
        end = write(value, end);
      }
    });
    return end;
  }
}

const even = (length: number): number => length + (length % 2);
const tableSize = (directory: NewDirectory): number => 2 + directory.length * ENTRY_BYTES + 4;

function sizeOf(directory: NewDirectory): number {
  const values = directory.map(({ value }) => {
    if (!(value instanceof Uint8Array)) return sizeOf(value);
    return value.length <= 4 ? 0 : even(value.length);
  });
  return values.reduce((sum, size) => sum + size, tableSize(directory));
}
