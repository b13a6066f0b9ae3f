import { type Chromaticity, type Curve, D65, SRGB_PRIMARIES } from '../../../color/icc';
import { TAG } from '../exif';
import { type TiffDirectory, type TiffEntry, type TiffTree, entryOf } from '../tiffTree';
import { type Statement, known, spaceStated, USUAL_CURVES } from './statement';

const INTEROPERABILITY_INDEX = 0x0001;
const BITS_PER_SAMPLE = 0x0102;
const MAKE = 0x010f;
const TRANSFER_FUNCTION = 0x012d;
const WHITE_POINT = 0x013e;
const PRIMARY_CHROMATICITIES = 0x013f;
/** Values of ColorSpace: EXIF 2.32 knows 1 and 65535, cameras write 2 as well. */
const SRGB = 1;
const ADOBE_RGB = 2;
const UNCALIBRATED = 65535;
/** How DCF 2.0 names a photo in its optional color space: an underscore, three free characters, four digits. */
const DCF_OPTION_NAME = /^_[A-Z0-9_]{3}\d{4}\.\w+$/i;
const BY = 'its EXIF';

/**
 * The colors that EXIF states: "R03" (DCF option file) and ColorSpace 2 are Adobe RGB. Uncalibrated is no more than "not
 * sRGB"; then the primaries count where they are stated, or the form of the file's name, which DCF reserves.
 */
export function exifColors(tree: TiffTree, fileName: string): Statement | undefined {
  const main = tree.directory(tree.first);
  const below = (parent: TiffDirectory | undefined, tag: number) =>
    tree.directory(tree.numbers(entryOf(parent, tag))[0] ?? 0);
  const exif = below(main, TAG.exif);
  const colorSpace = tree.numbers(entryOf(exif, TAG.colorSpace), 1)[0];
  if (colorSpace === SRGB) return known('srgb', BY);
  const index = asciiOf(tree, entryOf(below(exif, TAG.interoperability), INTEROPERABILITY_INDEX));
  if (colorSpace === ADOBE_RGB || index.startsWith('R03')) return known('adobe-rgb', BY);
  if (index.startsWith('R98')) return known('srgb', BY);
  // Libraries write "uncalibrated" for want of knowledge; from a camera it has a meaning.
  if (colorSpace !== UNCALIBRATED || !entryOf(main, MAKE)) return undefined;
  const stated = primariesOf(tree, main, BY);
  if (stated?.kind === 'space' && stated.known) return stated;
  if (DCF_OPTION_NAME.test(fileName)) return known('adobe-rgb', `${BY} and its name`);
  return {
    kind: 'unclear',
    note: "The photo's EXIF says only that its colors are not calibrated; they were taken as sRGB.",
  };
}

/** The colors that a TIFF file states in tags of its own (TIFF 6.0, section 20). */
export function tiffColors(tree: TiffTree): Statement | undefined {
  return primariesOf(tree, tree.directory(tree.first), 'its TIFF tags');
}

function primariesOf(tree: TiffTree, main: TiffDirectory | undefined, by: string): Statement | undefined {
  const primaries = pairs(rationals(tree, entryOf(main, PRIMARY_CHROMATICITIES)));
  const white = pairs(rationals(tree, entryOf(main, WHITE_POINT))).at(0);
  const curve = transferOf(tree, main);
  if (primaries.length !== 3 && !curve) return undefined;
  const [r, g, b] = primaries.length === 3 ? primaries : SRGB_PRIMARIES;
  return spaceStated([r, g, b], white ?? D65, curve ? [curve] : USUAL_CURVES, by);
}

/** TransferFunction: one table for all channels, or three, of which the first stands for all where they are the same. */
function transferOf(tree: TiffTree, main: TiffDirectory | undefined): Curve | undefined {
  const entry = entryOf(main, TRANSFER_FUNCTION);
  const size = 2 ** (tree.numbers(entryOf(main, BITS_PER_SAMPLE), 1)[0] ?? 0);
  if (!entry || size < 4 || size > 65536 || (entry.count !== size && entry.count !== 3 * size)) return undefined;
  const values = tree.numbers(entry, 3 * size);
  const same = values.every((value, i) => value === values[i % size]);
  return same ? { kind: 'table', values: values.slice(0, size).map((value) => value / 65535) } : undefined;
}

const ASCII = 2;
const RATIONAL = 5;

function asciiOf(tree: TiffTree, entry: TiffEntry | undefined): string {
  const bytes = entry?.type === ASCII && entry.count <= 64 ? tree.bytes(entry) : undefined;
  return Buffer.from(bytes ?? []).toString('latin1');
}

function rationals(tree: TiffTree, entry: TiffEntry | undefined): number[] {
  const bytes = entry?.type === RATIONAL && entry.count <= 6 ? tree.bytes(entry) : undefined;
  if (!bytes) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const part = (at: number): number => view.getUint32(at, tree.littleEndian);
  return Array.from({ length: bytes.length / 8 }, (_, i) => part(8 * i) / part(8 * i + 4));
}

function pairs(values: readonly number[]): Chromaticity[] {
  return Array.from({ length: Math.floor(values.length / 2) }, (_, i) => [values[2 * i], values[2 * i + 1]] as const);
}
