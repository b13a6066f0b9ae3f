/* Photos that are no more than the places where XMP lies in them: made here, so that every byte is known. */

const latin = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

/** A TIFF or DNG of one directory, with the packet in tag 700 behind it. */
export function tiffWith(
  packet: Uint8Array | undefined,
  { little = true, big = false }: { little?: boolean; big?: boolean } = {},
): Uint8Array {
  const entries: [tag: number, type: number, count: number, value: number][] = [[256, 3, 1, 1]];
  const [head, size, word] = big ? [8, 20, 8] : [2, 12, 4];
  const first = big ? 16 : 8;
  const behind = first + head + 2 * size + word;
  if (packet) entries.push([700, 1, packet.length, behind]);
  const view = new DataView(new ArrayBuffer(behind + (packet?.length ?? 0)));
  const wide = (at: number, value: number): void => {
    if (big) view.setBigUint64(at, BigInt(value), little);
    else view.setUint32(at, value, little);
  };
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, big ? 43 : 42, little);
  if (big) view.setUint16(4, 8, little);
  wide(big ? 8 : 4, first);
  if (big) wide(first, entries.length);
  else view.setUint16(first, entries.length, little);
  entries.forEach(([tag, type, count, value], i) => {
    const at = first + head + i * size;
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, type, little);
    wide(at + 4, count);
    wide(at + (big ? 12 : 8), value);
  });
  const bytes = new Uint8Array(view.buffer);
  if (packet) bytes.set(packet, behind);
  return bytes;
}

function segment(marker: number, contents: ArrayLike<number>): number[] {
  const length = contents.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...Array.from(contents)];
}

const JFIF = segment(0xe0, latin('JFIF\0\x01\x01\0\0\x01\0\x01\0\0'));
const PICTURE = [...segment(0xda, [1, 1, 0, 0, 63, 0]), 0x12, 0x34, 0xff, 0xd9];

/** A JPEG with the packet in an APP1 segment. */
export function jpegWith(packet: Uint8Array | undefined, extension: readonly number[] = []): Uint8Array {
  const exif = segment(0xe1, latin('Exif\0\0MM\0*'));
  const xmp = packet ? segment(0xe1, [...latin('http://ns.adobe.com/xap/1.0/\0'), ...packet]) : [];
  return Uint8Array.from([0xff, 0xd8, ...JFIF, ...exif, 0xff, ...xmp, ...extension, ...PICTURE]);
}

/** The segments of an extension, each of at most `most` bytes, the last first: their order is not promised. */
export function extensionOf(text: Uint8Array, guid: string, most: number): number[] {
  const word = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >> shift) & 255);
  const parts: number[][] = [];
  for (let at = 0; at < text.length; at += most) {
    const head = [...latin(`http://ns.adobe.com/xmp/extension/\0${guid}`), ...word(text.length), ...word(at)];
    parts.unshift(segment(0xe1, [...head, ...text.subarray(at, at + most)]));
  }
  return parts.flat();
}
