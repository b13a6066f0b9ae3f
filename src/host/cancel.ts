import { HostCancelledError } from './errors';

/** Throws HostCancelledError when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HostCancelledError();
}

/**
 * Waits for `work`, but no longer than until the signal fires. Native encoders cannot be stopped half-way; their
 * result is then dropped. So only work whose result is a value in memory may be waited for in this way.
 */
export async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  // A result that nobody waits for any more must not surface as an unhandled rejection.
  work.catch(() => undefined);
  throwIfCancelled(signal);
  let stop: (() => void) | undefined;
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new HostCancelledError());
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

/** Lets timers, signals and I/O have a turn between two bands of a long loop, then checks the signal. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  // Browsers have no setImmediate; four milliseconds are little beside a band.
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
  throwIfCancelled(signal);
}
