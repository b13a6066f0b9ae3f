import { type ByteSource } from '../tiffTree';

/** A box of an ISO base media file (ISO/IEC 14496-12): where its contents are. */
export interface BmffBox {
  readonly type: string;
  /** 32 hexadecimal digits, for the type "uuid". */
  readonly uuid?: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** More boxes in a row are not looked at. */
const MAX_BOXES = 256;

/** The boxes directly in a range, or in the file; those behind one that is not whole are passed over. */
export function bmffBoxes(
  source: ByteSource,
  range: { start: number; end: number } = { start: 0, end: 2 ** 40 },
): BmffBox[] {
  const boxes: BmffBox[] = [];
  for (let at = range.start; boxes.length < MAX_BOXES && at + 8 <= range.end;) {
    const head = Buffer.from(source.read(at, 8) ?? []);
    if (head.length < 8) break;
    const type = head.toString('latin1', 4, 8);
    let length = head.readUInt32BE(0);
    let start = at + 8;
    if (length === 1) {
      const long = source.read(at + 8, 8);
      if (!long) break;
      length = Number(Buffer.from(long).readBigUInt64BE(0));
      start += 8;
    }
    const end = at + length;
    if (length < start - at || end > range.end || !Number.isSafeInteger(end)) break;
    const id = type === 'uuid' && end - start >= 16 ? source.read(start, 16) : undefined;
    if (id) start += 16;
    boxes.push({ type, uuid: id && Buffer.from(id).toString('hex'), start, end });
    at = end;
  }
  return boxes;
}
