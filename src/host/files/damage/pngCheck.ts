import { crc32 } from 'node:zlib';
import { type ByteSource } from '../tiffTree';

/** Chunks without which there is no picture, transparency among them. */
const NEEDED = ['IHDR', 'PLTE', 'tRNS', 'IDAT'];
const SIGNATURE = 8;
const END = Buffer.from([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);

export type PngVerdict =
  /** `bytes`: the same picture, without what is not needed for it. */
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** `why` for people. */
  | { readonly kind: 'damaged'; readonly why: string };

/**
 * Whether the chunks that make up a PNG's picture are all there with their right check sums. A damaged chunk beside
 * them (a time, a histogram) takes nothing from the picture, though a decoder may refuse the file for it; so does a
 * missing end. `withProfile`: the profile is needed too, if it is sound.
 */
export function checkPng(source: ByteSource, withProfile: boolean): PngVerdict {
  const pieces: Uint8Array[] = [source.read(0, SIGNATURE) ?? new Uint8Array()];
  const seen = new Set<string>();
  for (let at = SIGNATURE; at < source.size;) {
    const head = source.read(at, 8);
    if (!head) break;
    const type = Buffer.from(head.subarray(4)).toString('latin1');
    if (type === 'IEND') break;
    const length = viewOf(head).getUint32(0);
    const needed = NEEDED.includes(type);
    if (needed || (withProfile && type === 'iCCP')) {
      const chunk = source.read(at, length + 12);
      const sound = chunk && crc32(chunk.subarray(4, length + 8)) === viewOf(chunk).getUint32(length + 8);
      if (!sound && needed) return { kind: 'damaged', why: chunk ? `a check sum (${type}) is wrong` : 'it ends early' };
      if (chunk && sound) pieces.push(chunk);
    }
    seen.add(type);
    at += 12 + length;
  }
  if (!seen.has('IHDR') || !seen.has('IDAT')) return { kind: 'damaged', why: 'it holds no picture' };
  return { kind: 'whole', bytes: Buffer.concat([...pieces, END]) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
