/** CRC-32 of PNG chunks (third edition of the specification, annex D). */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

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

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
