import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { NotRegularFileError, READ_WITHOUT_WAITING } from './io/openRegular';
import { type ByteSource, TiffTree, entryOf } from './tiffTree';

/** What a file is by its first bytes, as far as it matters before an image library sees it. */
export type PhotoKind = 'psd' | 'camera-raw' | 'heic' | 'avif' | 'bmp' | 'other';

/** Calls `work` with the bytes of a file, read as they are asked for. */
export async function withSource<T>(file: string, work: (source: ByteSource) => T | Promise<T>): Promise<T> {
  const handle = openSync(file, READ_WITHOUT_WAITING);
  try {
    const info = fstatSync(handle);
    if (!info.isFile()) throw new NotRegularFileError('a pipe or a device');
    const { size } = info;
    return await work({
      size,
      read: (at, length) => {
        if (at < 0 || length < 0 || at + length > size) return undefined;
        const bytes = new Uint8Array(length);
        return readSync(handle, bytes, 0, length, at) === length ? bytes : undefined;
      },
    });
  } finally {
    closeSync(handle);
  }
}

export function kindOf(source: ByteSource): PhotoKind {
  const head = Buffer.from(source.read(0, 16) ?? source.read(0, 4) ?? []);
  const text = head.toString('latin1');
  if (text.startsWith('8BPS')) return 'psd';
  if (isBmp(head)) return 'bmp';
  if (text.slice(4, 8) === 'ftyp') return kindOfBoxes(source, head);
  return isCameraRaw(source, text) ? 'camera-raw' : 'other';
}

/** "BM", then a header of a length that BMP knows: text may begin with these letters too. */
function isBmp(head: Buffer): boolean {
  return head.length === 16 && head.toString('latin1', 0, 2) === 'BM' && head.readUInt16LE(14) <= 124;
}

/** HEIF by its brands (ISO/IEC 23008-12, annex B): what the pictures are coded with. */
function kindOfBoxes(source: ByteSource, head: Buffer): PhotoKind {
  const length = Math.min(head.readUInt32BE(0), 256);
  const box = Buffer.from(source.read(0, length) ?? head).toString('latin1');
  const brands = [box.slice(8, 12), ...(box.slice(16).match(/.{4}/gs) ?? [])];
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  // "mif1" says no more than that there is a picture; what is not AV1 there is HEVC.
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return 'heic';
  // Canon's CR3 files are such boxes too.
  return brands.includes('crx ') ? 'camera-raw' : 'other';
}

/** How files of cameras begin that are no TIFF, or one with a header of its own: RAF, X3F, MRW, ORF, RW2, CR2. */
const RAW_BEGINNINGS = /^(FUJIFILMCCD-RAW|FOVb|\0MRM|IIR[OS]|MMOR|IIU\0|II\*\0....CR)/s;
const SUB_DIRECTORIES = 0x014a;
const PHOTOMETRIC = 0x0106;
const DNG_VERSION = 0xc612;
/** PhotometricInterpretation of pixels behind a colour filter, and of such pixels made RGB but not developed. */
const UNDEVELOPED = [32803, 34892];

/**
 * Whether it is camera raw, whatever its name. DNG, NEF, ARW, PEF and more are TIFF files: one is raw for sure when it
 * says that it is DNG, or when one of its pictures has undeveloped pixels.
 */
function isCameraRaw(source: ByteSource, beginning: string): boolean {
  if (RAW_BEGINNINGS.test(beginning)) return true;
  const tree = TiffTree.open(source);
  const main = tree?.directory(tree.first);
  if (!tree || !main) return false;
  if (entryOf(main, DNG_VERSION)) return true;
  const below = tree.numbers(entryOf(main, SUB_DIRECTORIES), 16).map((at) => tree.directory(at));
  return [main, ...below].some((directory) =>
    tree.numbers(entryOf(directory, PHOTOMETRIC), 1).some((value) => UNDEVELOPED.includes(value)),
  );
}

/** Colours of an AVIF without a profile, by the numbers of ITU-T H.273. */
export interface CodedColours {
  readonly primaries: number;
  readonly transfer: number;
}

/** Looks for them where the head of the file describes its pictures; the first picture's, if they differ. */
export function codedColours(source: ByteSource): CodedColours | undefined {
  const head = [1 << 16, 1 << 12, 1 << 9].map((length) => source.read(0, length)).find((bytes) => bytes !== undefined);
  if (!head) return undefined;
  const bytes = Buffer.from(head);
  const at = bytes.indexOf('colrnclx', 0, 'latin1');
  if (at < 0 || at + 12 > bytes.length) return undefined;
  return { primaries: bytes.readUInt16BE(at + 8), transfer: bytes.readUInt16BE(at + 10) };
}
