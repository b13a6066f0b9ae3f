import { type Metadata } from 'sharp';
import { exifOfTiff, uprightExif } from './exif';
import { RESOURCE, imageResources, wholeIptc } from './imageResources';
import { type ByteSource, inMemory, TiffTree } from './tiffTree';
import { type ScannedXmp, scanXmp } from './xmpScan';

/** What a photo's file says about the photo, as far as it can be handed on. */
export interface PhotoMetadata {
  /** As the file has it, to be brought up to date by `uprightExif`. */
  readonly exif?: Uint8Array | undefined;
  readonly iptc?: Uint8Array | undefined;
  readonly xmp?: ScannedXmp | undefined;
}

/** Metadata blocks as a file holds them. */
export interface MetadataBlocks {
  readonly exif?: Uint8Array | undefined;
  readonly iptc?: Uint8Array | undefined;
  readonly xmp?: Uint8Array | undefined;
}

/** "Photoshop 3.0" and a zero: the beginning of image resources in a JPEG. */
const PHOTOSHOP_PREFIX = 'Photoshop 3.0\0';

/** The blocks of a photo that the image library reads; `source` is its file, for what the library passes over. */
export function blocksOf(header: Metadata, source: ByteSource): MetadataBlocks {
  const { format, xmp, iptc, tifftagPhotoshop } = header;
  let exif: Uint8Array | undefined = header.exif;
  if (format === 'tiff') {
    const tree = TiffTree.open(source);
    exif = tree ? exifOfTiff(tree) : undefined;
  }
  return { exif, xmp, iptc: iptcIn(iptc) ?? iptcIn(tifftagPhotoshop) };
}

/** The IPTC records in a block that holds nothing else, or holds them as an image resource. */
function iptcIn(block: Buffer | undefined): Uint8Array | undefined {
  if (!block || block[0] === 0x1c) return block;
  const prefixed = block.subarray(0, PHOTOSHOP_PREFIX.length).toString('latin1') === PHOTOSHOP_PREFIX;
  return imageResources(prefixed ? block.subarray(PHOTOSHOP_PREFIX.length) : block).get(RESOURCE.iptc);
}

/**
 * Takes over what is sound. What is not is left out, with a note for people: a file that anybody may have made must
 * neither stop a retouch nor pass on what harms the next reader.
 */
export function soundMetadata({ exif, iptc, xmp }: MetadataBlocks): { metadata: PhotoMetadata; notes: string[] } {
  const notes: string[] = [];
  const leftOut = (what: string, why: string): void => {
    notes.push(`The photo's ${what} was left out: ${why}.`);
  };
  const soundExif = exif && readable(exif);
  if (exif && !soundExif && !isEmpty(exif)) leftOut('EXIF data', 'it is damaged or too long');
  const soundIptc = iptc && wholeIptc(iptc);
  if (iptc && !soundIptc) leftOut('IPTC data', 'it is damaged or too long');
  return { metadata: { exif: soundExif, iptc: soundIptc, xmp: xmp && readXmp(xmp) }, notes };

  function readXmp(bytes: Uint8Array): ScannedXmp | undefined {
    try {
      return scanXmp(bytes);
    } catch (thrown) {
      // The parser's own words come with places and pieces of the text, which help nobody here.
      const own = thrown instanceof Error && thrown.message.startsWith('it ');
      leftOut('XMP', own ? thrown.message : 'it is not well-formed');
      return;
    }
  }
}

const EXIF_PREFIX = 'Exif\0\0';

/** Libraries write blocks without a single entry: a header, a count of 0, zeros. Nothing is lost with them. */
function isEmpty(exif: Uint8Array): boolean {
  const prefixed = Buffer.from(exif).subarray(0, EXIF_PREFIX.length).toString('latin1') === EXIF_PREFIX;
  const block = prefixed ? exif.subarray(EXIF_PREFIX.length) : exif;
  const tree = TiffTree.open(inMemory(block));
  if (!tree) return block.every((byte) => byte === 0);
  return block.subarray(8).every((byte) => byte === 0);
}

function readable(exif: Uint8Array): Uint8Array | undefined {
  return uprightExif(exif, { width: 1, height: 1, colors: 'other' }) ? exif : undefined;
}
