import { IccError } from './errors';

/*
 * The outer form of a profile: a header of 128 bytes, the count of tags, 12 bytes per tag (signature, offset, size),
 * then the tags' data (ICC.1:2001-04 section 6, ICC.1:2010 section 7). All numbers are big-endian.
 */

export const HEADER_LENGTH = 128;
export const TAG_ENTRY_LENGTH = 12;

/** Far above any RGB profile; table-based printer profiles reach a few megabytes. */
const MAX_PROFILE_LENGTH = 64 * 1024 * 1024;

export interface Header {
  readonly major: number;
  /** Four characters each, padded with blanks. */
  readonly deviceClass: string;
  readonly colorSpace: string;
  readonly connectionSpace: string;
  /** Length the profile gives itself; the bytes may be longer. */
  readonly length: number;
}

/** @throws IccError ICC_TOO_LARGE, ICC_TRUNCATED, ICC_INVALID */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length > MAX_PROFILE_LENGTH) {
    throw new IccError('ICC_TOO_LARGE', `It has ${bytes.length} bytes; the limit is ${MAX_PROFILE_LENGTH}.`);
  }
  if (bytes.length < HEADER_LENGTH + 4) {
    throw new IccError('ICC_TRUNCATED', `It has ${bytes.length} bytes, less than a header.`);
  }
  if (signatureAt(bytes, 36) !== 'acsp') throw new IccError('ICC_INVALID', 'The signature of ICC profiles is missing.');
  const length = viewOf(bytes).getUint32(0);
  if (length > bytes.length) {
    throw new IccError('ICC_TRUNCATED', `It has ${bytes.length} bytes and says that it has ${length}.`);
  }
  if (length < HEADER_LENGTH + 4) throw new IccError('ICC_INVALID', `It says that it has ${length} bytes.`);
  return {
    major: bytes[8],
    deviceClass: signatureAt(bytes, 12),
    colorSpace: signatureAt(bytes, 16),
    connectionSpace: signatureAt(bytes, 20),
    length,
  };
}

/** The tags of a profile by signature. Data is looked at only for the tags that are asked for. */
export class TagTable {
  private readonly bytes: Uint8Array;
  private readonly places = new Map<string, { offset: number; size: number }>();
  private readonly doubled = new Set<string>();
  private readonly used: { name: string; offset: number; size: number }[] = [];
  private readonly tableEnd: number;

  /**
   * @param bytes the profile, no longer than its header says
   * @throws IccError ICC_TRUNCATED for more tags than the bytes can list
   */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const view = viewOf(bytes);
    const count = view.getUint32(HEADER_LENGTH);
    if (count > (bytes.length - HEADER_LENGTH - 4) / TAG_ENTRY_LENGTH) {
      throw new IccError(
        'ICC_TRUNCATED',
        `Its table promises ${count} tags, more than ${bytes.length} bytes can list.`,
      );
    }
    this.tableEnd = HEADER_LENGTH + 4 + TAG_ENTRY_LENGTH * count;
    for (let i = 0; i < count; i++) {
      const entry = HEADER_LENGTH + 4 + TAG_ENTRY_LENGTH * i;
      const name = signatureAt(bytes, entry);
      if (this.places.has(name)) this.doubled.add(name);
      this.places.set(name, { offset: view.getUint32(entry + 4), size: view.getUint32(entry + 8) });
    }
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  /**
   * The data of a tag: a view, not a copy. Tags may share their data as a whole, and only so.
   *
   * @throws IccError ICC_INVALID (missing, listed twice, overlapping), ICC_TRUNCATED (beyond the end)
   */
  data(name: string): Uint8Array {
    const place = this.places.get(name);
    if (!place) throw new IccError('ICC_INVALID', `The tag ${name} is missing.`);
    if (this.doubled.has(name)) throw new IccError('ICC_INVALID', `The tag ${name} is listed twice.`);
    const { offset, size } = place;
    if (offset + size > this.bytes.length) {
      throw new IccError('ICC_TRUNCATED', `The tag ${name} ends at byte ${offset + size} of ${this.bytes.length}.`);
    }
    if (offset < this.tableEnd) throw new IccError('ICC_INVALID', `The tag ${name} lies inside the table of tags.`);
    for (const other of this.used) {
      const same = other.offset === offset && other.size === size;
      if (!same && offset < other.offset + other.size && other.offset < offset + size) {
        throw new IccError('ICC_INVALID', `The tags ${other.name} and ${name} overlap.`);
      }
    }
    this.used.push({ name, offset, size });
    return this.bytes.subarray(offset, offset + size);
  }
}

export interface ProfileParts {
  /** 2 writes 2.4, 4 writes 4.2. */
  readonly version: 2 | 4;
  readonly deviceClass: 'mntr' | 'link';
  readonly colorSpace: 'RGB ' | 'GRAY';
  readonly connectionSpace: 'XYZ ' | 'RGB ';
  /** In the order of the file. Tags that are given the same array share its bytes. */
  readonly tags: readonly (readonly [string, Uint8Array])[];
}

/** A whole profile. The date is fixed, so that the same content gives the same bytes. */
export function buildProfile({ version, deviceClass, colorSpace, connectionSpace, tags }: ProfileParts): Uint8Array {
  let end = HEADER_LENGTH + 4 + TAG_ENTRY_LENGTH * tags.length;
  const places = new Map<Uint8Array, number>();
  for (const [, data] of tags) {
    if (places.has(data)) continue;
    places.set(data, end);
    end += Math.ceil(data.length / 4) * 4;
  }
  const profile = new Uint8Array(end);
  const view = viewOf(profile);
  view.setUint32(0, end);
  view.setUint32(8, version === 2 ? 0x02400000 : 0x04200000);
  writeAscii(profile, 12, deviceClass + colorSpace + connectionSpace);
  [2026, 1, 1].forEach((part, i) => {
    view.setUint16(24 + 2 * i, part);
  });
  writeAscii(profile, 36, 'acsp');
  // Illuminant D50 as s15Fixed16.
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => {
    view.setUint32(68 + 4 * i, value);
  });
  view.setUint32(HEADER_LENGTH, tags.length);
  tags.forEach(([name, data], i) => {
    const entry = HEADER_LENGTH + 4 + TAG_ENTRY_LENGTH * i;
    const place = places.get(data)!;
    writeAscii(profile, entry, name);
    view.setUint32(entry + 4, place);
    view.setUint32(entry + 8, data.length);
    profile.set(data, place);
  });
  return profile;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Four bytes as text; what is not printable ASCII becomes `?`, so that it may stand in a message. */
export function signatureAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4)).replace(/[^\x20-\x7e]/g, '?');
}

export function writeAscii(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
}
