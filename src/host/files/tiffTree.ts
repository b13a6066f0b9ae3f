/** Random access to bytes. `read` gives undefined for a range that is not all there. */
export interface ByteSource {
  readonly size: number;
  read(at: number, length: number): Uint8Array | undefined;
}

export function inMemory(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (at, length) =>
      at >= 0 && length >= 0 && at + length <= bytes.length ? bytes.subarray(at, at + length) : undefined,
  };
}

/** One entry of a directory: a tag with `count` values of a type. */
export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where the entry's bytes are: 12, or 20 in BigTIFF. */
  readonly at: number;
  /** Where its values are: in the entry when they fit into it. Not checked against the end of the file. */
  readonly valueAt: number;
  readonly valueLength: number;
}

export interface TiffDirectory {
  readonly at: number;
  readonly length: number;
  readonly entries: readonly TiffEntry[];
  /** Where the next directory is; 0 where there is none. */
  readonly next: number;
}

/** Bytes of one value by type: TIFF 6.0 section 2, IFD (13) of its supplement 1, 16 to 18 of BigTIFF. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const SHORT = 3;
/** Whole numbers without a sign: SHORT, LONG, IFD, LONG8, IFD8. */
const WHOLE = [SHORT, 4, 13, 16, 18];
export const ENTRY_BYTES = 12;
const BIG_ENTRY_BYTES = 20;
/** Entries of a directory of BigTIFF, which could promise any number of them. */
const MAX_ENTRIES = 65535;

/**
 * The directories of a TIFF file or of an EXIF block, which is one. Trusts nothing that it reads: what points outside
 * is undefined, and it never follows a pointer by itself, so that loops are nothing to it.
 */
export class TiffTree {
  private constructor(
    private readonly source: ByteSource,
    readonly littleEndian: boolean,
    /** Where the first directory is. */
    readonly first: number,
    /** BigTIFF: places and counts have 64 bits. EXIF blocks never are. */
    readonly big: boolean,
  ) {}

  /** Undefined where there is no TIFF header. */
  static open(source: ByteSource): TiffTree | undefined {
    const header = source.read(0, 8);
    if (!header) return undefined;
    const littleEndian = header[0] === 0x49;
    if (header[0] !== header[1] || (!littleEndian && header[0] !== 0x4d)) return undefined;
    const view = viewOf(header);
    const version = view.getUint16(2, littleEndian);
    if (version === 42) return new TiffTree(source, littleEndian, view.getUint32(4, littleEndian), false);
    const first = version === 43 && view.getUint16(4, littleEndian) === 8 ? source.read(8, 8) : undefined;
    return first && new TiffTree(source, littleEndian, wide(viewOf(first), 0, littleEndian), true);
  }

  directory(at: number): TiffDirectory | undefined {
    const countBytes = this.big ? 8 : 2;
    const entryBytes = this.big ? BIG_ENTRY_BYTES : ENTRY_BYTES;
    // Behind the header, which is eight bytes.
    const start = at >= 8 ? this.source.read(at, countBytes) : undefined;
    if (!start) return undefined;
    const count = this.big ? wide(viewOf(start), 0, this.littleEndian) : viewOf(start).getUint16(0, this.littleEndian);
    if (count === 0 || count > MAX_ENTRIES) return undefined;
    const nextAt = countBytes + count * entryBytes;
    const length = nextAt + (this.big ? 8 : 4);
    const bytes = this.source.read(at, length);
    if (!bytes) return undefined;
    const view = viewOf(bytes);
    const entries: TiffEntry[] = [];
    for (let i = 0; i < count; i++) entries.push(this.entry(view, at, countBytes + i * entryBytes));
    return { at, length, entries, next: this.place(view, nextAt) };
  }

  private entry(view: DataView, directory: number, offset: number): TiffEntry {
    const type = view.getUint16(offset + 2, this.littleEndian);
    const count = this.place(view, offset + 4);
    const valueLength = count * (TYPE_BYTES[type] ?? 0);
    const at = directory + offset;
    const field = this.big ? 12 : 8;
    const inside = valueLength <= (this.big ? 8 : 4);
    const valueAt = inside ? at + field : this.place(view, offset + field);
    return { tag: view.getUint16(offset, this.littleEndian), type, count, at, valueAt, valueLength };
  }

  private place(view: DataView, at: number): number {
    return this.big ? wide(view, at, this.littleEndian) : view.getUint32(at, this.littleEndian);
  }

  /** The values of an entry as they are stored, if they are all there. */
  bytes({ valueAt, valueLength }: TiffEntry): Uint8Array | undefined {
    return this.source.read(valueAt, valueLength);
  }

  /** The values of an entry of whole numbers, at most `limit` of them; empty where it has others. */
  numbers(entry: TiffEntry | undefined, limit = 64): number[] {
    if (!entry || !WHOLE.includes(entry.type)) return [];
    const bytes = TYPE_BYTES[entry.type];
    const stored = this.source.read(entry.valueAt, Math.min(entry.count, limit) * bytes);
    if (!stored) return [];
    const view = viewOf(stored);
    return Array.from({ length: stored.length / bytes }, (_, i) => {
      if (bytes === 8) return wide(view, i * 8, this.littleEndian);
      return bytes === 2 ? view.getUint16(i * 2, this.littleEndian) : view.getUint32(i * 4, this.littleEndian);
    });
  }
}

/** A number of 64 bits. Beyond 2^53 it is inexact, and far beyond the end of any file. */
function wide(view: DataView, at: number, littleEndian: boolean): number {
  const [high, low] = littleEndian ? [4, 0] : [0, 4];
  return view.getUint32(at + high, littleEndian) * 2 ** 32 + view.getUint32(at + low, littleEndian);
}

export function entryOf(directory: TiffDirectory | undefined, tag: number): TiffEntry | undefined {
  return directory?.entries.find((entry) => entry.tag === tag);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
