import { type ByteTable } from '../tables';
import { KERNEL_BASE64 } from './kernelBytes';

/** What lutKernel.as exports; addresses and numbers are 32-bit integers. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  heap(): number;
  rgb8: Apply;
  rgba8: Apply;
  rgb16: Apply;
  rgba16: Apply;
  rgb15: Apply;
  rgba15: Apply;
}
type Apply = (source: number, target: number, pixels: number, table: number, size: number, parameter: number) => void;

/** Pixels at a time: pixels before and after, and the LUT, together stay in the processor's caches. */
const CHUNK = 4096;
/** The kernel works on whole groups of pixels and writes a little further than its result. */
const GROUP = 16;
const MARGIN = 64;
const PAGE = 65536;

/**
 * The WebAssembly SIMD kernel with its memory: a chunk of pixels before, one after, and the table of the LUT that was
 * applied last. One per thread (`simdKernel`).
 */
export class SimdKernel {
  private readonly kernel: Exports;
  private readonly source: number;
  private readonly target: number;
  private readonly table: number;
  private loaded: Int16Array | Float32Array | undefined;

  /** Throws where WebAssembly SIMD is missing or not allowed. */
  constructor() {
    const text = atob(KERNEL_BASE64);
    const module = new WebAssembly.Module(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    const { exports } = new WebAssembly.Instance(module, { env: { abort: fail } });
    this.kernel = exports as unknown as Exports;
    this.source = this.kernel.heap();
    this.target = this.source + CHUNK * 8 + MARGIN;
    this.table = this.target + CHUNK * 8 + MARGIN;
  }

  bytes({ values, bits }: ByteTable, size: number, pixels: Uint8Array, destination: Uint8Array, channels: 3 | 4): void {
    this.load(values);
    const apply = channels === 3 ? this.kernel.rgb8 : this.kernel.rgba8;
    const { buffer } = this.kernel.memory;
    const before = new Uint8Array(buffer, this.source, CHUNK * channels);
    const after = new Uint8Array(buffer, this.target, CHUNK * channels);
    this.run(apply, before, after, size, bits, pixels, destination, channels);
  }

  /** `values` has four floats a grid point; `maximum` is the level that means 1. */
  words(
    values: Float32Array,
    maximum: 65535 | 32768,
    size: number,
    pixels: Uint16Array,
    destination: Uint16Array,
    channels: 3 | 4,
  ): void {
    this.load(values);
    const { rgb16, rgba16, rgb15, rgba15 } = this.kernel;
    const [rgb, rgba] = maximum === 65535 ? [rgb16, rgba16] : [rgb15, rgba15];
    const apply = channels === 3 ? rgb : rgba;
    const { buffer } = this.kernel.memory;
    const before = new Uint16Array(buffer, this.source, CHUNK * channels);
    const after = new Uint16Array(buffer, this.target, CHUNK * channels);
    this.run(apply, before, after, size, 0, pixels, destination, channels);
  }

  private run<T extends Uint8Array | Uint16Array>(
    apply: Apply,
    before: T,
    after: T,
    size: number,
    parameter: number,
    pixels: T,
    destination: T,
    channels: number,
  ): void {
    const step = CHUNK * channels;
    for (let at = 0; at < pixels.length; at += step) {
      const values = Math.min(step, pixels.length - at);
      before.set(pixels.subarray(at, at + values));
      const count = Math.ceil(values / channels / GROUP) * GROUP;
      apply(this.source, this.target, count, this.table, size, parameter);
      destination.set(values === step ? after : after.subarray(0, values), at);
    }
  }

  private load(values: Int16Array | Float32Array): void {
    if (this.loaded === values) return;
    const { memory } = this.kernel;
    const missing = this.table + values.byteLength + MARGIN - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(memory.buffer, this.table, values.byteLength).set(bytes);
    this.loaded = values;
  }
}

let shared: SimdKernel | undefined | null;

/** This thread's kernel; undefined where WebAssembly SIMD is missing, which a plain loop then makes up for. */
export function simdKernel(): SimdKernel | undefined {
  if (shared === undefined) {
    try {
      shared = new SimdKernel();
    } catch {
      // An old engine, or a page whose rules forbid WebAssembly.
      shared = null;
    }
  }
  return shared ?? undefined;
}

function fail(): never {
  throw new Error('The LUT kernel met a state that it cannot be in.');
}
