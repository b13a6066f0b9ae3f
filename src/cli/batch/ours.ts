import path from 'node:path';
import { openRegular } from '../../host/files/io/openRegular';

/** As XMP of ours begins its properties, see host/files/xmp.ts; it never changes. */
const NAMESPACE = 'urn:veraretouch:xmp:1/';
const PROPERTY = ':provenance';
/** Chunks and resources that are looked at, and bytes of each: XMP of editors has about 1 MB. */
const MOST_BLOCKS = 4096;
const MOST_XMP = 16 << 20;
const XMP_RESOURCE = 0x0424;

type Read = (at: number, length: number) => Promise<Buffer | undefined>;

/**
 * Does this PNG, PSD or .cube say by itself that it is a result of ours? The first two by their XMP, which is found without
 * reading pixels, the last by its title. False for every other file, and for what cannot be read.
 */
export async function carriesProvenance(file: string): Promise<boolean> {
  const find = { '.png': inPng, '.psd': inPsd, '.cube': inCube }[path.extname(file).toLowerCase()];
  if (!find) return false;
  try {
    const { handle, size } = await openRegular(file, { most: Number.MAX_SAFE_INTEGER });
    try {
      return await find(async (at, length) => {
        if (at < 0 || length < 0 || at + length > size) return undefined;
        const bytes = Buffer.alloc(length);
        const { bytesRead } = await handle.read(bytes, 0, length, at);
        return bytesRead === length ? bytes : undefined;
      });
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

/** The chunks before the pixels (PNG, third edition, 5.3). */
async function inPng(read: Read): Promise<boolean> {
  if ((await read(0, 8))?.toString('latin1') !== '\x89PNG\r\n\x1a\n') return false;
  for (let at = 8, left = MOST_BLOCKS; left > 0; left--) {
    const head = await read(at, 8);
    if (!head) return false;
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4);
    if (type === 'IDAT' || type === 'IEND') return false;
    if (type === 'iTXt' && length <= MOST_XMP && says(await read(at + 8, length))) return true;
    at += 12 + length;
  }
  return false;
}

/** The image resources (Adobe Photoshop File Formats Specification); XMP is number 1060. */
async function inPsd(read: Read): Promise<boolean> {
  const head = await read(0, 30);
  if (head?.toString('latin1', 0, 4) !== '8BPS') return false;
  const start = 30 + head.readUInt32BE(26);
  const length = (await read(start, 4))?.readUInt32BE(0) ?? 0;
  for (let at = start + 4, left = MOST_BLOCKS; left > 0 && at < start + 4 + length; left--) {
    const block = await read(at, 7);
    if (block?.toString('latin1', 0, 4) !== '8BIM') return false;
    // A name of one length byte and as many letters, together an even number.
    const name = (block[6] + 2) & ~1;
    const size = (await read(at + 6 + name, 4))?.readUInt32BE(0);
    if (size === undefined) return false;
    const data = at + 10 + name;
    if (block.readUInt16BE(4) === XMP_RESOURCE) return size <= MOST_XMP && says(await read(data, size));
    at = data + size + (size & 1);
  }
  return false;
}

async function inCube(read: Read): Promise<boolean> {
  return (await read(0, 19))?.toString('latin1') === 'TITLE "VeraRetouch ';
}

function says(xmp: Buffer | undefined): boolean {
  return xmp !== undefined && xmp.includes(NAMESPACE) && xmp.includes(PROPERTY);
}
