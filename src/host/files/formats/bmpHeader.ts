import { HostError } from '../../errors';
import { UNTOUCHED, checkSize, damaged, quoted } from '../photoErrors';
import { type ByteSource } from '../tiffTree';

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: 1 | 2 | 4 | 8 | 16 | 24 | 32;
  readonly packing: 'none' | 'rle4' | 'rle8';
  /** Where the pixels are. */
  readonly at: number;
  /** Up to 256 colors: red, green, blue for each. */
  readonly palette?: Uint8Array | undefined;
  /** Bits of red, green, blue and, where it has them, alpha in a pixel of 16 or 32 bits. */
  readonly fields?: readonly [number, number, number, number?] | undefined;
  readonly icc?: Uint8Array | undefined;
  /** Pixels per inch. */
  readonly density?: number | undefined;
  /** For people. */
  readonly note?: string | undefined;
}

const FILE_HEADER = 14;
/** Lengths of the header by version: OS/2 1, OS/2 2 (short and whole), Windows 3, with masks, V4, V5. */
const OS2 = 12;
const LENGTHS = [OS2, 16, 40, 52, 56, 64, 108, 124];
const V4 = 108;
const V5 = 124;
/** biCompression. */
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;
const EMBEDDED = { 4: 'JPEG', 5: 'PNG' } as Readonly<Record<number, string>>;
/** bV5CSType: calibrated by numbers, a profile in the file, a profile in another file. */
const CALIBRATED = 0;
const PROFILE_EMBEDDED = 0x4d424544;
const PROFILE_LINKED = 0x4c494e4b;
const MAX_PROFILE = 64 << 20;
const METERS_PER_INCH = 0.0254;

/** Throws HostError PHOTO_DAMAGED, PHOTO_FORMAT, PHOTO_TOO_LARGE. */
export function readBmpHeader(file: string, source: ByteSource): BmpHeader {
  const start = source.read(0, FILE_HEADER + 4);
  if (!start) throw damaged(file, 'it ends in the middle of its header');
  const first = new DataView(start.buffer, start.byteOffset);
  const at = first.getUint32(10, true);
  const length = first.getUint32(14, true);
  const bytes = LENGTHS.includes(length) ? source.read(FILE_HEADER, length) : undefined;
  if (!bytes) throw damaged(file, `its header says that it has ${length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const small = length === OS2;
  const width = small ? view.getUint16(4, true) : view.getInt32(4, true);
  const signed = small ? view.getUint16(6, true) : view.getInt32(8, true);
  const height = Math.abs(signed);
  const bits = view.getUint16(small ? 10 : 14, true);
  const compression = length < 40 ? RGB : view.getUint32(16, true);
  if (width <= 0 || height === 0) throw damaged(file, `its header says ${width} x ${height} pixels`);
  checkSize(file, { width, height });
  checkCoding(file, bits, compression, length === 64);
  const packing = compression === RLE8 ? 'rle8' : compression === RLE4 ? 'rle4' : 'none';
  const topDown = signed < 0 && packing === 'none';
  const fields = fieldsOf(source, view, bits, compression);
  const palette = bits <= 8 ? paletteOf(file, source, { view, bits, at, small }) : undefined;
  const density = length < 40 ? 0 : view.getInt32(24, true) * METERS_PER_INCH;
  return {
    ...{ width, height, topDown, bits: bits as BmpHeader['bits'], packing, at, fields, palette },
    ...colorsOf(source, view),
    density: density >= 1 ? Math.round(density) : undefined,
  };
}

function checkCoding(file: string, bits: number, compression: number, os2: boolean): void {
  const known =
    (compression === RGB && [1, 2, 4, 8, 16, 24, 32].includes(bits)) ||
    (compression === RLE8 && bits === 8) ||
    (compression === RLE4 && bits === 4) ||
    ([BIT_FIELDS, ALPHA_BIT_FIELDS].includes(compression) && [16, 32].includes(bits) && !os2);
  if (known) return;
  const inside = EMBEDDED[compression];
  throw new HostError(
    'PHOTO_FORMAT',
    inside && !os2
      ? `${quoted(file)} is a BMP for printers with a ${inside} inside, which is not read. ${UNTOUCHED}`
      : `${quoted(file)} is a BMP of ${bits} bits in the coding ${compression}, which is not read. ${UNTOUCHED}`,
    'Open it in an editor and save it as PNG, then give that.',
  );
}

/** In the header from the version with masks on, behind it before. */
function fieldsOf(source: ByteSource, view: DataView, bits: number, compression: number): BmpHeader['fields'] {
  if (bits !== 16 && bits !== 32) return undefined;
  if (compression === RGB) return bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  const count = compression === ALPHA_BIT_FIELDS || view.byteLength >= 56 ? 4 : 3;
  const stored = source.read(FILE_HEADER + 40, 4 * count);
  const masks = stored && new DataView(stored.buffer, stored.byteOffset, stored.length);
  const mask = (i: number): number => masks?.getUint32(4 * i, true) ?? 0;
  const alpha = count === 4 ? mask(3) : 0;
  return alpha === 0 ? [mask(0), mask(1), mask(2)] : [mask(0), mask(1), mask(2), alpha];
}

function paletteOf(
  file: string,
  source: ByteSource,
  { view, bits, at, small }: { view: DataView; bits: number; at: number; small: boolean },
): Uint8Array {
  const size = small ? 3 : 4;
  const start = FILE_HEADER + view.byteLength;
  const stated = view.byteLength >= 40 ? view.getUint32(32, true) : 0;
  const room = Math.floor((at - start) / size);
  const count = Math.min(stated > 0 ? stated : 2 ** bits, 2 ** bits, room);
  const stored = count > 0 ? source.read(start, count * size) : undefined;
  if (!stored) throw damaged(file, 'its palette is not whole');
  // What is beyond the palette is black.
  const palette = new Uint8Array(3 * 256);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) palette[3 * i + c] = stored[i * size + 2 - c];
  }
  return palette;
}

function colorsOf(source: ByteSource, view: DataView): Pick<BmpHeader, 'icc' | 'note'> {
  const type = view.byteLength >= V4 ? view.getUint32(56, true) : undefined;
  const assumed = (what: string): { note: string } => ({
    note: `The BMP states its colors by ${what}; they were taken as sRGB.`,
  });
  if (type === CALIBRATED && [60, 64, 68].some((at) => view.getUint32(at, true) !== 0))
    return assumed('primaries and gamma');
  if (view.byteLength < V5) return {};
  if (type === PROFILE_LINKED) return assumed('a profile in another file');
  if (type !== PROFILE_EMBEDDED) return {};
  const length = view.getUint32(116, true);
  const icc =
    length > 0 && length <= MAX_PROFILE ? source.read(FILE_HEADER + view.getUint32(112, true), length) : undefined;
  return icc ? { icc } : assumed('a profile that is not whole');
}
