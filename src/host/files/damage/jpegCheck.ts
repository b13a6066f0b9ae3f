import { BitReader, HuffmanTable, JpegFault } from './jpegBits';
import { type Component, type Scan, walkScan } from './jpegScan';

export type JpegVerdict =
  /** All picture data is there; `endMissing`: but not the two bytes that end the file. */
  | { readonly kind: 'whole'; readonly endMissing: boolean }
  /** `why` for people. */
  | { readonly kind: 'damaged'; readonly why: string }
  /** A way of coding that is not checked here: arithmetic, lossless, 12 bits. */
  | { readonly kind: 'unknown' };

/** Bytes between the end of a scan and the next marker that may be a writer's whim; more of them are picture data. */
const STRAY_BYTES = 16;
/** A frame with more blocks than this is not checked: 110 megapixels in three components. */
const MAX_BLOCKS = 5.2e6;

/**
 * Whether a JPEG holds all of its picture: passes over every code of every scan (ITU-T T.81, baseline and progressive)
 * and makes no pixels. A decoder fills gaps with gray and says so, if at all, in a warning that may as well be about a
 * harmless byte in the header. `tables`: the tables of an abbreviated stream, as TIFF keeps them.
 */
export function checkJpeg(bytes: Uint8Array, tables?: Uint8Array): JpegVerdict {
  const walk = new JpegWalk();
  try {
    if (tables) walk.go(tables);
    return walk.go(bytes);
  } catch (thrown) {
    if (thrown instanceof JpegFault) return { kind: 'damaged', why: thrown.message };
    // A length or a table that leads outside. By its name: a DataView of another realm throws an error of that realm.
    if ((thrown as Partial<Error> | undefined)?.name === 'RangeError')
      return { kind: 'damaged', why: 'its header is cut short' };
    throw thrown;
  }
}

interface Frame {
  readonly progressive: boolean;
  readonly components: readonly Component[];
  readonly mcusWide: number;
  readonly mcusHigh: number;
}

class JpegWalk {
  private readonly dc: (HuffmanTable | undefined)[] = [];
  private readonly ac: (HuffmanTable | undefined)[] = [];
  private restartInterval = 0;
  private frame: Frame | undefined;

  go(bytes: Uint8Array): JpegVerdict {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 2; ;) {
      const found = new BitReader(bytes, at).toMarker();
      if (found.marker === undefined) return this.verdict(true);
      const { marker } = found;
      at = found.at + 2;
      if (marker === 0xd9) return this.verdict(false);
      // Markers without contents, left over between segments.
      if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
      const length = view.getUint16(at);
      const segment = bytes.subarray(at + 2, at + length);
      if (isFrame(marker)) {
        this.frame = marker <= 0xc2 ? frameOf(segment, marker === 0xc2) : undefined;
        if (!this.frame) return { kind: 'unknown' };
      } else if (marker === 0xc4) this.readTables(segment);
      else if (marker === 0xdd) this.restartInterval = view.getUint16(at + 2);
      at += length;
      if (marker === 0xda) at = this.scan(bytes, segment, at);
    }
  }

  private readTables(segment: Uint8Array): void {
    for (let at = 0; at + 17 <= segment.length;) {
      const kind = segment[at] >> 4 === 0 ? this.dc : this.ac;
      const counts = segment.subarray(at + 1, at + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (at + 17 + total > segment.length) throw new JpegFault('its header is cut short');
      kind[segment[at] & 15] = new HuffmanTable(counts, segment.subarray(at + 17, at + 17 + total));
      at += 17 + total;
    }
  }

  /** Returns where the scan's data ends. */
  private scan(bytes: Uint8Array, segment: Uint8Array, at: number): number {
    const { frame } = this;
    if (!frame) throw new JpegFault('its header is missing');
    const count = segment[0];
    const components = Array.from({ length: count }, (_, i) => {
      const component = frame.components.find(({ id }) => id === segment[1 + 2 * i]);
      if (!component) throw new JpegFault('its header contradicts itself');
      const tables = segment[2 + 2 * i];
      return { component, dc: this.dc[tables >> 4], ac: this.ac[tables & 15] };
    });
    const [start, end, bitsAt] = segment.subarray(1 + 2 * count);
    const { progressive, mcusWide, mcusHigh } = frame;
    const [from, to] = progressive ? [start, Math.min(end, 63)] : [0, 63];
    const [high, low] = progressive ? [bitsAt >> 4, bitsAt & 15] : [0, 0];
    const { restartInterval } = this;
    const scan: Scan = { components, progressive, from, to, high, low, restartInterval, mcusWide, mcusHigh };
    const bits = new BitReader(bytes, at);
    walkScan(scan, bits);
    for (const { component } of components) component.precision.fill(low, from, to + 1);
    const after = bits.toMarker();
    if (after.left > STRAY_BYTES) throw new JpegFault('its picture data goes on after its end');
    return after.at;
  }

  private verdict(endMissing: boolean): JpegVerdict {
    const parts = this.frame?.components ?? [];
    const missing = parts.some(({ precision }) => precision[0] < 0);
    // A picture may be meant to be coarse; where the end is missing nobody says so.
    const coarse = parts.some(({ precision }) => precision.some((low) => low !== 0));
    if (!this.frame || missing || (endMissing && coarse)) {
      return { kind: 'damaged', why: 'its picture data ends early' };
    }
    return { kind: 'whole', endMissing };
  }
}

/** SOF0 to SOF15, among which DHT, JPG and DAC have places. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Undefined for what is not checked: 12 bits, a height that comes later. */
function frameOf(segment: Uint8Array, progressive: boolean): Frame | undefined {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const [height, width, count] = [view.getUint16(1), view.getUint16(3), view.getUint8(5)];
  if (segment[0] !== 8 || height === 0 || width === 0) return undefined;
  const factors = Array.from({ length: count }, (_, i) => ({
    id: view.getUint8(6 + 3 * i),
    h: Math.max(1, view.getUint8(7 + 3 * i) >> 4),
    v: Math.max(1, view.getUint8(7 + 3 * i) & 15),
  }));
  const hMax = Math.max(...factors.map(({ h }) => h));
  const vMax = Math.max(...factors.map(({ v }) => v));
  const mcusWide = Math.ceil(width / (8 * hMax));
  const mcusHigh = Math.ceil(height / (8 * vMax));
  const blocks = factors.reduce((sum, { h, v }) => sum + h * v, 0) * mcusWide * mcusHigh;
  if (blocks > MAX_BLOCKS) return undefined;
  const components = factors.map(({ id, h, v }): Component => ({
    id,
    h,
    v,
    blocksWide: Math.ceil(Math.ceil((width * h) / hMax) / 8),
    blocksHigh: Math.ceil(Math.ceil((height * v) / vMax) / 8),
    stride: mcusWide * h,
    nonZero: new Uint8Array(progressive ? mcusWide * h * mcusHigh * v * 64 : 0),
    precision: new Int8Array(64).fill(-1),
  }));
  return { progressive, components, mcusWide, mcusHigh };
}
