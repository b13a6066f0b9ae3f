/** Makes metadata as cameras and editors write them. */

/** A value of an entry: numbers of its type, text, another directory, or data that the entry points to. */
export type Value = readonly number[] | string | { readonly below: readonly Entry[] } | { readonly data: Uint8Array };
/** Tag, type (2 text, 3 short, 4 long, 5 rational, 7 bytes, 10 signed rational), value. */
export type Entry = readonly [tag: number, type: number, value: Value];

const SIZE: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8 };

/** A TIFF structure: the first directory and, behind it, a second one. */
export function exifBlock(main: readonly Entry[], second?: readonly Entry[], littleEndian = false): Buffer {
  let bytes = Buffer.alloc(8);
  const uint = (value: number, length: number): Buffer => {
    const out = Buffer.alloc(length);
    if (littleEndian) out.writeUIntLE(value, 0, length);
    else out.writeUIntBE(value, 0, length);
    return out;
  };
  const append = (data: Uint8Array): number => {
    const at = bytes.length;
    bytes = Buffer.concat([bytes, data, Buffer.alloc(data.length % 2)]);
    return at;
  };
  const directory = (entries: readonly Entry[]): { at: number; nextAt: number } => {
    const at = append(Buffer.alloc(2 + entries.length * 12 + 4));
    uint(entries.length, 2).copy(bytes, at);
    entries.forEach(([tag, type, value], i) => {
      let count = 1;
      let field: Buffer;
      if (typeof value === 'string' || Array.isArray(value)) {
        const stored = typeof value === 'string' ? Buffer.from(`${value}\0`) : numbers(value as number[], type);
        count = stored.length / SIZE[type];
        field = stored.length <= 4 ? Buffer.concat([stored, Buffer.alloc(4 - stored.length)]) : uint(append(stored), 4);
      } else {
        field = uint('data' in value ? append(value.data) : directory((value as { below: Entry[] }).below).at, 4);
      }
      Buffer.concat([uint(tag, 2), uint(type, 2), uint(count, 4), field]).copy(bytes, at + 2 + i * 12);
    });
    return { at, nextAt: at + 2 + entries.length * 12 };
  };
  const numbers = (values: readonly number[], type: number): Buffer =>
    Buffer.concat(
      values.map((value) => {
        if (type === 5) return Buffer.concat([uint(value, 4), uint(1, 4)]);
        if (type === 10) return Buffer.concat([uint(Math.round(value * 10000) >>> 0, 4), uint(10000, 4)]);
        return uint(value, SIZE[type]);
      }),
    );

  const first = directory(main);
  if (second) uint(directory(second).at, 4).copy(bytes, first.nextAt);
  bytes.write(littleEndian ? 'II' : 'MM', 0, 'latin1');
  uint(42, 2).copy(bytes, 2);
  uint(first.at, 4).copy(bytes, 4);
  return bytes;
}

/** What stands in for the picture of a thumbnail. */
export const THUMBNAIL = Buffer.from('the unretouched photo, small');

/** A camera's EXIF: turned by 90 degrees, with a maker's note, a place and a thumbnail. */
export function cameraExif(littleEndian = false): Buffer {
  return exifBlock(
    [
      [0x010f, 2, 'Acme'],
      [0x0110, 2, 'Acme One'],
      [0x0112, 3, [6]],
      [0x011a, 5, [300]],
      [0x8298, 2, 'Ansel'],
      [
        0x8769,
        4,
        {
          below: [
            [0x9003, 2, '2024:05:06 07:08:09'],
            [0x927c, 7, [...Buffer.from('a note of the maker')]],
            [0xa001, 3, [1]],
            [0xa002, 4, [48]],
            [0xa003, 4, [32]],
            [0xa434, 2, 'Acme 50mm'],
          ],
        },
      ],
      [
        0x8825,
        4,
        {
          below: [
            [1, 2, 'N'],
            [2, 5, [47, 22, 0]],
          ],
        },
      ],
    ],
    [
      [0x0103, 3, [6]],
      [0x0201, 4, { data: THUMBNAIL }],
      [0x0202, 4, [THUMBNAIL.length]],
    ],
    littleEndian,
  );
}

/** IPTC records: a caption and a keyword. */
export const IPTC = Buffer.concat(
  [
    [120, 'A meadow in May'],
    [25, 'meadow'],
  ].map(([set, text]) =>
    Buffer.concat([Buffer.of(0x1c, 2, set as number, 0, (text as string).length), Buffer.from(text as string)]),
  ),
);

export function photoshopResource(id: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0x38, 0x42, 0x49, 0x4d, id >> 8, id & 255, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(data.length, 8);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** An XMP packet as editors write it, with these attributes and elements of its description. */
export function xmpOf(attributes: string, elements: string, namespaces = ''): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Acme XMP">
 <rdf:RDF xmlns:rdf="${RDF}">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"${namespaces}
    ${attributes}>
   ${elements}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
${' '.repeat(200)}
<?xpacket end="w"?>`;
}

/** A JPEG with these blocks put in front. */
export function withBlocks(jpeg: Buffer, blocks: { exif?: Uint8Array; iptc?: Uint8Array; xmp?: string }): Buffer {
  const segment = (marker: number, ...parts: (Uint8Array | string)[]): Buffer => {
    const data = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
    const head = Buffer.of(0xff, marker, 0, 0);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  };
  const { exif, iptc, xmp } = blocks;
  return Buffer.concat([
    jpeg.subarray(0, 2),
    ...(exif ? [segment(0xe1, 'Exif\0\0', exif)] : []),
    ...(xmp ? [segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', xmp)] : []),
    ...(iptc ? [segment(0xed, 'Photoshop 3.0\0', photoshopResource(1028, iptc))] : []),
    jpeg.subarray(2),
  ]);
}
