import path from 'node:path';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Lut3D } from '../../color/lut3d';
import { breathe, throwIfCancelled } from '../cancel';
import { type ToLutWorker } from './lutWorker';
import { type Pixels } from './pixels';

/** Name of the threads' program beside that of the command line; webpack makes both. */
const PROGRAM = 'lutWorker.cjs';
/** Pixels that travel at a time: a millisecond or two of work, and no more than the caches hold. */
const PIXELS_PER_BAND = 1 << 18;
/** Bands a thread has before it, so that it need not wait for the next while this thread copies. */
const AHEAD = 2;

interface Band {
  readonly from: number;
  readonly to: number;
}

/**
 * Threads that apply LUTs. Bands of a photo are copied out, travel to a thread without another copy, and are copied
 * back: what is retouched where is the same as on one thread. The threads do not keep the process alive.
 */
export class LutWorkers {
  private readonly threads: Worker[];

  constructor(count = availableParallelism(), program: string = path.join(__dirname, PROGRAM)) {
    this.threads = Array.from({ length: count }, () => new Worker(program));
    for (const thread of this.threads) {
      // Failures are seen by `apply`; one that comes between two photos must not end the process.
      thread.on('error', () => undefined);
      thread.on('exit', () => this.threads.splice(this.threads.indexOf(thread), 1));
      thread.unref();
    }
  }

  /**
   * Applies the LUT in place. What a thread could not do, because it failed or never started, is done on this one.
   * One photo at a time. Throws HostCancelledError, with some of the pixels retouched, soon after the signal fires.
   */
  async apply({ data, channels }: Pixels, lut: Lut3D, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    const step = PIXELS_PER_BAND * channels;
    const bands: Band[] = [];
    for (let from = data.length; from > 0; from -= step) bands.push({ from: Math.max(0, from - step), to: from });
    await Promise.all([...this.threads].map((thread) => serve(thread, bands, { data, channels }, lut, signal)));
    throwIfCancelled(signal);
    for (const { from, to } of bands) {
      await breathe(signal);
      lut.apply(data.subarray(from, to), channels);
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all([...this.threads].map((thread) => thread.terminate()));
  }
}

/** Gives one thread bands until there are none, the signal fires, or it fails; what it owes then goes back to `bands`. */
function serve(
  thread: Worker,
  bands: Band[],
  { data, channels }: Pick<Pixels, 'data' | 'channels'>,
  lut: Lut3D,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const owed: Band[] = [];
    const finish = (): void => {
      bands.push(...owed);
      thread.off('message', receive).off('error', finish).off('exit', finish);
      thread.unref();
      resolve();
    };
    const give = (buffer?: Uint8Array | Uint16Array): void => {
      const band = signal?.aborted ? undefined : bands.pop();
      if (band) {
        owed.push(band);
        const wanted = data.subarray(band.from, band.to);
        let pixels: Uint8Array | Uint16Array;
        if (buffer?.length === wanted.length) (pixels = buffer).set(wanted);
        else pixels = data instanceof Uint16Array ? new Uint16Array(wanted) : new Uint8Array(wanted);
        const message: ToLutWorker = { kind: 'band', pixels, channels };
        thread.postMessage(message, [pixels.buffer as ArrayBuffer]);
      } else if (owed.length === 0) finish();
    };
    const receive = (pixels: Uint8Array | Uint16Array): void => {
      data.set(pixels, owed.shift()!.from);
      give(pixels);
    };
    thread.on('message', receive).on('error', finish).on('exit', finish);
    thread.ref();
    const first: ToLutWorker = { kind: 'lut', size: lut.size, data: lut.data };
    thread.postMessage(first);
    for (let i = 0; i < AHEAD; i++) give();
  });
}
