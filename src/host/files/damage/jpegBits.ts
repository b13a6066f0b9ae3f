/** Thrown and caught within the check of a JPEG: what is wrong, for people. */
export class JpegFault extends Error {}

/** A Huffman table of ITU-T T.81, annex C, ready for decoding code by code (annex F.2.2.3). */
export class HuffmanTable {
  private readonly largest = new Int32Array(17).fill(-1);
  private readonly shift = new Int32Array(17);

  /** `counts`: codes of each length 1 to 16; `values` in the order of their codes. */
  constructor(
    counts: Uint8Array,
    private readonly values: Uint8Array,
  ) {
    let code = 0;
    let first = 0;
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1];
      this.shift[length] = first - code;
      if (count > 0) this.largest[length] = code + count - 1;
      code = (code + count) << 1;
      first += count;
    }
  }

  decode(bits: BitReader): number {
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      code = (code << 1) | bits.bit();
      if (code <= this.largest[length]) return this.values[code + this.shift[length]];
    }
    throw new JpegFault('its picture data holds a code that means nothing');
  }
}

/** The bits of a scan, stuffed zeros taken out (T.81, F.1.2.3). Bits that are not there are never made up. */
export class BitReader {
  private byte = 0;
  private left = 0;

  /** `at`: the first byte of the scan's data. */
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  bit(): number {
    if (this.left === 0) this.next();
    this.left--;
    return (this.byte >> this.left) & 1;
  }

  drop(count: number): void {
    for (let i = 0; i < count; i++) this.bit();
  }

  private next(): void {
    const { bytes } = this;
    if (this.at >= bytes.length) throw new JpegFault('its picture data ends early');
    this.byte = bytes[this.at];
    if (this.byte === 0xff) {
      if (bytes[this.at + 1] !== 0) throw new JpegFault('a part of its picture data is missing');
      this.at++;
    }
    this.at++;
    this.left = 8;
  }

  /**
   * Leaves the rest of the current byte and looks for the next marker. `left`: bytes in between that are no padding (of
   * zeros or 0xff); `marker`: its second byte, undefined at the end of the file; `at`: where the marker begins.
   */
  toMarker(): { readonly left: number; readonly marker: number | undefined; readonly at: number } {
    this.left = 0;
    let left = 0;
    for (; this.at < this.bytes.length; this.at++) {
      const byte = this.bytes[this.at];
      const next = this.bytes.at(this.at + 1);
      if (byte === 0xff && next !== undefined && next !== 0 && next !== 0xff) {
        return { left, marker: next, at: this.at };
      }
      if (byte !== 0 && byte !== 0xff) left++;
    }
    return { left, marker: undefined, at: this.at };
  }

  /** Goes on behind a marker. */
  passMarker(): void {
    this.at += 2;
  }
}
