import { throwIfCancelled } from '../../host/cancel';
import { type PhotoWorker } from './photoHandler';

/**
 * The scheduler: as many lanes as there are workers, each of which takes the next photo when it has finished one. The
 * first error that a photo's work throws stops all lanes.
 */
export class Lanes {
  private readonly stop = new AbortController();
  /** Fires with the job's own signal, and when one lane has failed. */
  readonly signal: AbortSignal;

  constructor(
    private readonly workers: readonly PhotoWorker[],
    private readonly outer: AbortSignal,
  ) {
    this.signal = AbortSignal.any([outer, this.stop.signal]);
  }

  /** Works through `items` with `count` lanes at most. Throws HostCancelledError, or the first error. */
  async run<T>(
    items: readonly T[],
    work: (worker: PhotoWorker, item: T) => Promise<void>,
    count = this.workers.length,
  ): Promise<void> {
    const queue = [...items];
    const errors: unknown[] = [];
    const lane = async (worker: PhotoWorker): Promise<void> => {
      try {
        for (let item = queue.shift(); item !== undefined && !this.signal.aborted; item = queue.shift()) {
          await work(worker, item);
        }
      } catch (thrown) {
        errors.push(thrown);
        this.stop.abort();
      }
    };
    await Promise.all(this.workers.slice(0, count).map(lane));
    throwIfCancelled(this.outer);
    if (errors.length > 0) throw errors[0];
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}
