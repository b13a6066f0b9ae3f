import { constants, inflateSync } from 'node:zlib';
import { breathe } from '../../cancel';
import { type ByteSource } from '../tiffTree';
import { checkJpeg } from './jpegCheck';
import { lzwLength } from './lzw';
import { type TiffLayout, chunksOf, rowsOf, tiffLayout } from './tiffLayout';

const [NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS] = [1, 5, 7, 8, 32946, 32773];
const YCBCR = 6;
/** Longer pieces are not checked byte by byte: a picture in one strip is the image library's to judge. */
const MAX_CHUNK_BYTES = 1 << 30;

/**
 * Looks into each strip or tile of a TIFF for what its decoder passes over: the image library leaves tiles black that
 * cannot be decoded, and fills gaps in their JPEG data with gray. Returns what is wrong, for people; undefined where
 * all data is there.
 */
export async function tiffDamage(
  layout: TiffLayout,
  source: ByteSource,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { offsets, byteCounts } = layout;
  const part = layout.tiled ? 'tile' : 'strip';
  if (!(layout.width > 0 && layout.height > 0 && layout.chunkWidth > 0 && layout.chunkHeight > 0)) {
    return 'its header contradicts itself';
  }
  const count = chunksOf(layout);
  if (offsets.length < count || byteCounts.length < count) return `its list of ${part}s is cut short`;
  for (let i = 0; i < count; i++) {
    if (i % 16 === 0) await breathe(signal);
    const why = chunkDamage(layout, source, i);
    if (why) return `${part} ${i + 1} of ${count} ${why}`;
  }
  return undefined;
}

/** Tiles whose coding is not checked here: what the image library cannot decode of them stays black. */
export function uncheckedTiles({ tiled, compression, fillOrder }: TiffLayout): boolean {
  return tiled && (fillOrder !== 1 || ![NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS].includes(compression));
}

/**
 * What a TIFF's decoder does not notice, as `tiffDamage` says it: zeros in place of LZW data become black, the check sums
 * of Deflate are not compared, and warnings about JPEG tiles are lost.
 */
export async function silentTiffDamage(source: ByteSource, signal?: AbortSignal): Promise<string | undefined> {
  const layout = tiffLayout(source);
  if (!layout || layout.fillOrder !== 1) return undefined;
  const { compression, tiled } = layout;
  const looked = [DEFLATE, OLD_DEFLATE].includes(compression) || (compression === JPEG && tiled);
  if (!looked && !(compression === LZW && hasZeros(layout, source))) return undefined;
  return tiffDamage(layout, source, signal);
}

function hasZeros({ offsets, byteCounts }: TiffLayout, source: ByteSource): boolean {
  return offsets.some((at, i) => {
    const count = byteCounts[i] ?? 0;
    const bytes = count <= MAX_CHUNK_BYTES ? source.read(at, count) : undefined;
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(ZEROS);
  });
}

/** More zeros than any code of LZW begins with. */
const ZEROS = Buffer.alloc(64);
const MISSING = 'is missing';
const EARLY = 'ends early';
const BROKEN = 'cannot be decoded';

function chunkDamage(layout: TiffLayout, source: ByteSource, index: number): string | undefined {
  const expected = bytesOf(layout, index);
  const at = layout.offsets[index];
  const stored = layout.compression === NONE ? (expected ?? 0) : layout.byteCounts[index];
  if (at === 0 || layout.byteCounts[index] === 0) return MISSING;
  if (at + stored > source.size) return EARLY;
  if (layout.compression === NONE || layout.fillOrder !== 1 || stored > MAX_CHUNK_BYTES) return undefined;
  const bytes = source.read(at, stored);
  if (!bytes) return EARLY;
  switch (layout.compression) {
    case JPEG: {
      const verdict = checkJpeg(bytes, layout.jpegTables);
      return verdict.kind === 'damaged' ? BROKEN : undefined;
    }
    case DEFLATE:
    case OLD_DEFLATE:
      return lengthDamage(inflatedLength(bytes, bytesOf(layout, index, layout.chunkHeight)), expected);
    case LZW:
      return lengthDamage(lzwLength(bytes, expected ?? 0), expected);
    case PACK_BITS:
      return lengthDamage(packBitsLength(bytes), expected);
    default:
      return undefined;
  }
}

/** `length`: bytes that were decoded; undefined where decoding failed. */
function lengthDamage(length: number | undefined, expected: number | undefined): string | undefined {
  if (length === undefined) return BROKEN;
  return expected !== undefined && length < expected ? EARLY : undefined;
}

/** Bytes of strip or tile `index`, decoded; undefined where colors are subsampled. */
function bytesOf(layout: TiffLayout, index: number, rows = rowsOf(layout, index)): number | undefined {
  const { photometric, planar, samples, bits, chunkWidth } = layout;
  if (photometric === YCBCR) return undefined;
  const perPixel = planar === 2 ? 1 : samples;
  return Math.ceil((chunkWidth * perPixel * bits) / 8) * rows;
}

/** Bytes beyond a strip or tile that a writer may have added for its own ends. */
const PADDING = 1 << 16;

/** More than there is room for is no data: zeros can mean "the same again". */
function inflatedLength(bytes: Uint8Array, room: number | undefined): number | undefined {
  try {
    // A missing check sum at the end is not missed; a wrong one is.
    const maxOutputLength = room === undefined ? MAX_CHUNK_BYTES : room + PADDING;
    return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength }).length;
  } catch {
    return undefined;
  }
}

function packBitsLength(bytes: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at];
    if (code === 128) {
      at++;
    } else if (code > 128) {
      length += 257 - code;
      at += 2;
    } else {
      length += Math.min(code + 1, bytes.length - at - 1);
      at += code + 2;
    }
  }
  return length;
}
