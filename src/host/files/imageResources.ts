/** Ids of image resources (Adobe Photoshop File Formats Specification). */
export const RESOURCE = {
  resolution: 1005,
  alphaNames: 1006,
  iptc: 1028,
  iccProfile: 1039,
  transparencyIndex: 1047,
  alphaIdentifiers: 1053,
  version: 1057,
  exif: 1058,
  xmp: 1060,
} as const;

/** One block of the image resources section: signature, id, empty name, length, data padded to even length. */
export function imageResource(id: number, data: Uint8Array): Uint8Array {
  const block = new Uint8Array(12 + data.length + (data.length % 2));
  const view = new DataView(block.buffer);
  block.set(new TextEncoder().encode('8BIM'));
  view.setUint16(4, id);
  view.setUint32(8, data.length);
  block.set(data, 12);
  return block;
}

/**
 * The image resources of a PSD, or of the "Photoshop 3.0" part of another file, by id; the first of each id. What
 * cannot be read, and all behind it, is passed over.
 */
export function imageResources(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= bytes.length;) {
    // "8BIM"; some programs have signatures of their own ("MeSa", "AgHg", "PHUT", "DCSR"), which mean other things.
    const own = view.getUint32(at) === 0x3842494d;
    const id = view.getUint16(at + 4);
    // A name of Pascal: its length, then its letters, together padded to even length.
    const name = bytes[at + 6] + 1;
    const lengthAt = at + 6 + name + (name % 2);
    if (lengthAt + 4 > bytes.length) break;
    const length = view.getUint32(lengthAt);
    const end = lengthAt + 4 + length;
    if (end > bytes.length) break;
    if (own && !found.has(id)) found.set(id, bytes.subarray(lengthAt + 4, end));
    at = end + (length % 2);
  }
  return found;
}

/** More than any caption. */
const MAX_IPTC = 1 << 20;

/**
 * IPTC-IIM as it is stored: records of marker 0x1C, record, data set, length, value. A record that is not whole, and
 * what follows it, is left out (padding, mostly). Undefined where none is left.
 */
export function wholeIptc(bytes: Uint8Array): Uint8Array | undefined {
  let at = 0;
  while (at + 5 <= bytes.length && bytes[at] === 0x1c) {
    const length = bytes[at + 3] * 256 + bytes[at + 4];
    // The highest bit would say that the length itself is longer: values of more than 32 KB, which photos do not have.
    if (length >= 0x8000 || at + 5 + length > bytes.length) break;
    at += 5 + length;
  }
  return at > 0 && at <= MAX_IPTC ? bytes.subarray(0, at) : undefined;
}
