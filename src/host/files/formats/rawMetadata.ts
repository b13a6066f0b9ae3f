import { exifOfTiff } from '../exif';
import { type MetadataBlocks } from '../metadata';
import { type ByteSource, type TiffDirectory, TiffTree, entryOf, inMemory } from '../tiffTree';
import { bmffBoxes } from './bmff';

/** Tags of TIFF, TIFF/EP and DNG 1.7. */
const TAG = {
  compression: 0x0103,
  photometric: 0x0106,
  stripOffsets: 0x0111,
  stripByteCounts: 0x0117,
  subDirectories: 0x014a,
  tileOffsets: 0x0144,
  tileByteCounts: 0x0145,
  xmp: 0x02bc,
  baselineExposure: 0xc62a,
} as const;
/** PhotometricInterpretation of raw pixels: behind a color filter, and linear. */
const RAW_PIXELS = [32803, 34892];
/** More tiles than any camera writes. */
const MAX_PIECES = 1 << 16;
const MAX_XMP = 8 << 20;
/** A TIFF's first bytes by the makers that changed them (ORF, RW2): the magic number, low byte first. */
const OTHER_MAGIC = /^(IIR[OS]|IIU\0|MMOR)/;
const RAF = 'FUJIFILMCCD-RAW';
/** Where a RAF says where its JPEG is, and how long. */
const RAF_JPEG_AT = 84;
/** Box of a CR3 that holds the EXIF, and that of XMP (XMP specification, part 3). */
const CANON = '85c0b687820f11e08111f4ce462b6a48';
const XMP_BOX = 'be7acfcb97a942e89c71999491e3afac';

/** EXIF and XMP of a raw file, as far as its kind is known; IPTC is in none but inside XMP. */
export function rawMetadata(source: ByteSource): MetadataBlocks {
  const head = Buffer.from(source.read(0, 16) ?? []).toString('latin1');
  if (head.slice(4, 12) === 'ftypcrx ') return ofCr3(source);
  if (head.startsWith(RAF)) return { exif: exifOfRaf(source) };
  const tree = TiffTree.open(plainTiff(source, head));
  if (!tree) return {};
  const entry = entryOf(tree.directory(tree.first), TAG.xmp);
  const xmp = entry && entry.valueLength <= MAX_XMP ? tree.bytes(entry) : undefined;
  return { exif: exifOfTiff(tree), xmp };
}

/** The same bytes, with the magic number of TIFF where a maker put its own. */
function plainTiff(source: ByteSource, head: string): ByteSource {
  if (!OTHER_MAGIC.test(head)) return source;
  const magic = head.startsWith('II') ? [0x2a, 0] : [0, 0x2a];
  return {
    size: source.size,
    read: (at, length) => {
      const bytes = source.read(at, length);
      if (!bytes || at > 2 || at + length < 4) return bytes;
      const copy = Uint8Array.from(bytes);
      copy.set(magic, 2 - at);
      return copy;
    },
  };
}

/** In the first segment (APP1) of the JPEG that a RAF begins with. */
function exifOfRaf(source: ByteSource): Uint8Array | undefined {
  const place = source.read(RAF_JPEG_AT, 4);
  if (!place) return undefined;
  const at = Buffer.from(place).readUInt32BE(0);
  const start = Buffer.from(source.read(at, 12) ?? []);
  if (start.length < 12 || start.readUInt32BE(0) !== 0xffd8ffe1 || start.toString('latin1', 6, 10) !== 'Exif')
    return undefined;
  const block = source.read(at + 12, start.readUInt16BE(4) - 8);
  const tree = block && TiffTree.open(inMemory(block));
  return tree ? exifOfTiff(tree) : undefined;
}

/** CMT1, CMT2 and CMT4 are TIFF structures of their own: the first directory, EXIF's, GPS's. */
function ofCr3(source: ByteSource): MetadataBlocks {
  const top = bmffBoxes(source);
  const movie = top.find(({ type }) => type === 'moov');
  const canon = movie && bmffBoxes(source, movie).find(({ uuid }) => uuid === CANON);
  const parts = canon ? bmffBoxes(source, canon) : [];
  const treeOf = (type: string): TiffTree | undefined => {
    const box = parts.find((part) => part.type === type);
    const bytes = box && source.read(box.start, box.end - box.start);
    return bytes && TiffTree.open(inMemory(bytes));
  };
  const main = treeOf('CMT1');
  const packet = top.find(({ uuid }) => uuid === XMP_BOX);
  const length = packet ? packet.end - packet.start : 0;
  return {
    exif: main && exifOfTiff(main, { exif: treeOf('CMT2'), gps: treeOf('CMT4') }),
    xmp: packet && length <= MAX_XMP ? source.read(packet.start, length) : undefined,
  };
}

/** BaselineExposure of a DNG, in stops, within -5..5; 0 where there is none. */
export function baselineExposure(source: ByteSource): number {
  const tree = TiffTree.open(source);
  const entry = tree && entryOf(tree.directory(tree.first), TAG.baselineExposure);
  const bytes = entry?.valueLength === 8 ? tree?.bytes(entry) : undefined;
  if (!tree || !bytes) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const stops = view.getInt32(0, tree.littleEndian) / view.getInt32(4, tree.littleEndian);
  return Number.isFinite(stops) ? Math.min(5, Math.max(-5, stops)) : 0;
}

/**
 * Whether raw pixels that a TIFF directory points to lie behind the end of the file: the decoder would take what is
 * missing as black.
 */
export function isCutShort(source: ByteSource): boolean {
  const tree = TiffTree.open(source);
  const main = tree?.directory(tree.first);
  if (!tree || !main) return false;
  const below = tree.numbers(entryOf(main, TAG.subDirectories), 16).map((at) => tree.directory(at));
  const raw = [main, ...below].filter((directory): directory is TiffDirectory =>
    tree.numbers(entryOf(directory, TAG.photometric), 1).some((value) => RAW_PIXELS.includes(value)),
  );
  return raw.some((directory) =>
    (
      [
        [TAG.stripOffsets, TAG.stripByteCounts],
        [TAG.tileOffsets, TAG.tileByteCounts],
      ] as const
    ).some(([places, lengths]) => {
      const counts = tree.numbers(entryOf(directory, lengths), MAX_PIECES);
      return tree
        .numbers(entryOf(directory, places), MAX_PIECES)
        .some((at, i) => counts[i] > 0 && !source.read(at + counts[i] - 1, 1));
    }),
  );
}
