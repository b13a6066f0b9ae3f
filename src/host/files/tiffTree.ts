/** Random access to bytes. `read` gives undefined for a range that is not all there. */
export interface ByteSource {
  read(at: number, length: number): Uint8Array | undefined;
}

export function inMemory(bytes: Uint8Array): ByteSource {
  return {
    read: (at, length) =>
      at >= 0 && length >= 0 && at + length <= bytes.length ? bytes.subarray(at, at + length) : undefined,
  };
}

/** One entry of a directory: a tag with `count` values of a type. */
export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where the entry's 12 bytes are. */
  readonly at: number;
  /** Where its values are: in the entry when they fit into four bytes. Not checked against the end of the file. */
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

/** Bytes of one value by type, TIFF 6.0 section 2 and IFD (13) of its supplement 1. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const SHORT = 3;
const LONG = 4;
const IFD = 13;
export const ENTRY_BYTES = 12;

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
  ) {}

  /** Undefined where there is no TIFF header. */
  static open(source: ByteSource): TiffTree | undefined {
    const header = source.read(0, 8);
    if (!header) return undefined;
    const littleEndian = header[0] === 0x49;
    if (header[0] !== header[1] || (!littleEndian && header[0] !== 0x4d)) return undefined;
    const view = viewOf(header);
    if (view.getUint16(2, littleEndian) !== 42) return undefined;
    return new TiffTree(source, littleEndian, view.getUint32(4, littleEndian));
  }

  directory(at: number): TiffDirectory | undefined {
    // Behind the header, which is eight bytes.
    const start = at >= 8 ? this.source.read(at, 2) : undefined;
    if (!start) return undefined;
    const count = viewOf(start).getUint16(0, this.littleEndian);
    const length = 2 + count * ENTRY_BYTES + 4;
    const bytes = this.source.read(at, length);
    if (!bytes || count === 0) return undefined;
    const view = viewOf(bytes);
    const entries: TiffEntry[] = [];
    for (let i = 0; i < count; i++) entries.push(this.entry(view, at, 2 + i * ENTRY_BYTES));
    return { at, length, entries, next: view.getUint32(length - 4, this.littleEndian) };
  }

  private entry(view: DataView, directory: number, offset: number): TiffEntry {
    const type = view.getUint16(offset + 2, this.littleEndian);
    const count = view.getUint32(offset + 4, this.littleEndian);
    const valueLength = count * (TYPE_BYTES[type] ?? 0);
    const at = directory + offset;
    const valueAt = valueLength <= 4 ? at + 8 : view.getUint32(offset + 8, this.littleEndian);
    return { tag: view.getUint16(offset, this.littleEndian), type, count, at, valueAt, valueLength };
  }

  /** The values of an entry as they are stored, if they are all there. */
  bytes({ valueAt, valueLength }: TiffEntry): Uint8Array | undefined {
    return this.source.read(valueAt, valueLength);
  }

  /** The values of an entry of whole numbers, at most `limit` of them; empty where it has others. */
  numbers(entry: TiffEntry | undefined, limit = 64): number[] {
    if (!entry || ![SHORT, LONG, IFD].includes(entry.type)) return [];
    const bytes = TYPE_BYTES[entry.type];
    const stored = this.source.read(entry.valueAt, Math.min(entry.count, limit) * bytes);
    if (!stored) return [];
    const view = viewOf(stored);
    return Array.from({ length: stored.length / bytes }, (_, i) =>
      bytes === 2 ? view.getUint16(i * 2, this.littleEndian) : view.getUint32(i * 4, this.littleEndian),
    );
  }
}

export function entryOf(directory: TiffDirectory | undefined, tag: number): TiffEntry | undefined {
  return directory?.entries.find((entry) => entry.tag === tag);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
