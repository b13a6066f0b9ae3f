import { getEventListeners } from 'node:events';
import { breathe, throwIfCancelled, unlessCancelled } from '../../src/host/cancel';
import { HostCancelledError } from '../../src/host/errors';

const never = (): Promise<never> => new Promise(() => undefined);

test('work that ends first gives its result, and the signal keeps nothing of it', async () => {
  const { signal } = new AbortController();
  const broken = new Error('the encoder broke');
  expect(await unlessCancelled(Promise.resolve('pixels'), signal)).toBe('pixels');
  await expect(unlessCancelled(Promise.reject(broken), signal)).rejects.toBe(broken);
  expect(await unlessCancelled(Promise.resolve('pixels'), undefined)).toBe('pixels');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a signal ends the wait at once, before the work or in the middle of it', async () => {
  const controller = new AbortController();
  const waiting = unlessCancelled(never(), controller.signal);
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(HostCancelledError);
  await expect(unlessCancelled(never(), controller.signal)).rejects.toBeInstanceOf(HostCancelledError);
});

test('a long loop sees a signal that fires while it gives others their turn', async () => {
  const controller = new AbortController();
  await breathe(controller.signal);
  setImmediate(() => {
    controller.abort();
  });
  await expect(breathe(controller.signal)).rejects.toBeInstanceOf(HostCancelledError);
  expect(() => {
    throwIfCancelled(controller.signal);
  }).toThrow(HostCancelledError);
  await breathe(undefined);
});
