import { type ByteSource } from '../tiffTree';

/** How files begin whose format is known and not read, byte for byte in Latin-1; dots stand for any byte. */
const BEGINNINGS: readonly (readonly [begins: string, name: string])[] = [
  ['\xff\x0a', 'JPEG XL'],
  ['\0\0\0\x0cJXL ', 'JPEG XL'],
  ['\0\0\0\x0cjP  ', 'JPEG 2000'],
  ['\xff\x4f\xff\x51', 'JPEG 2000'],
  ['....ftypavis', 'an AVIF animation'],
  ['II\xbc', 'JPEG XR'],
  ['v/1\x01', 'OpenEXR'],
  ['#?RADIANCE', 'Radiance HDR'],
  ['#?RGBE', 'Radiance HDR'],
  ['%PDF', 'PDF'],
  ['gimp xcf', "GIMP's own format (XCF)"],
  ['DDS ', 'DDS'],
  ['qoif', 'QOI'],
  ['\0\0\x01\0', 'an icon'],
];
/** How files begin of the formats that the image library reads: such a file is a picture, if a damaged one. */
const READ: readonly string[] = ['\x89PNG', '\xff\xd8\xff', 'GIF8', 'RIFF....WEBP', 'II*\0', 'MM\0*', '....ftypavif'];

/** The name of a picture format that is known and not read, for people, by the first bytes of a file; else undefined. */
export function unreadFormat(source: ByteSource): string | undefined {
  return BEGINNINGS.find(([beginning]) => begins(source, beginning))?.[1];
}

/** Does a file begin as a picture of a format that is read? */
export function beginsAsPicture(source: ByteSource): boolean {
  return READ.some((beginning) => begins(source, beginning));
}

function begins(source: ByteSource, beginning: string): boolean {
  const head = Buffer.from(source.read(0, beginning.length) ?? []).toString('latin1');
  return head.length > 0 && Array.from(beginning).every((char, i) => char === '.' || char === head[i]);
}
