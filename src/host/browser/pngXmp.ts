import { crc32 } from '../../bridge';

/** Signature and the header's chunk, behind which other chunks may stand. */
const HEAD = 8 + 25;

/** A PNG with an XMP packet, as parts to be written one after another; the pixels stay as they are. */
export function withXmp(png: Uint8Array, xmp: string): Uint8Array[] {
  const text = new TextEncoder().encode(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`);
  const chunk = new Uint8Array(text.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, text.length);
  chunk.set(new TextEncoder().encode('iTXt'), 4);
  chunk.set(text, 8);
  view.setUint32(text.length + 8, crc32(chunk.subarray(4, text.length + 8)));
  return [png.subarray(0, HEAD), chunk, png.subarray(HEAD)];
}
