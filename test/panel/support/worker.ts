import { type Backend, type Device } from '../../../src/inference';
import { type EngineParts, type StartedWorker } from '../../../src/panel/worker/engine';
import { type FromWorker, type Port, type ToWorker } from '../../../src/panel/worker/protocol';
import { type ModelSource } from '../../../src/panel/worker/session';
import { type OpenBackend, serveInference } from '../../../src/panel/worker/server';
import { type Files, TINY, readBundle } from '../../inference/support/bundles';
import { nodeBackend } from '../../inference/support/nodeBackend';

/**
 * The worker's own code beside the test instead of in a worker, on Node's runtime and the tiny bundle. Messages are
 * cloned and take a turn each, as between threads; after `terminate` nothing crosses any more.
 */
export function besideWorkers(open: OpenBackend = openNode, files: Files = readBundle(TINY)) {
  const started: { alive: boolean; die(reason: string): void; sent: ToWorker[] }[] = [];
  const reads: string[] = [];
  const parts: EngineParts = {
    readWasm: () => Promise.resolve(undefined),
    model: sourceOf(files, reads),
    startWorker: () => {
      const state = { alive: true, die: (_reason: string): void => undefined, sent: [] as ToWorker[] };
      const [toPage, toWorker] = [new Set<(m: FromWorker) => void>(), new Set<(m: ToWorker) => void>()];
      const cross = <T>(message: T, to: Set<(m: T) => void>): void => {
        const copy = structuredClone(message);
        setImmediate(() => {
          if (state.alive) for (const listener of to) listener(copy);
        });
      };
      const inner: Port<FromWorker, ToWorker> = {
        send: (message) => {
          cross(message, toPage);
        },
        listen: (listener) => toWorker.add(listener),
      };
      serveInference(inner, open);
      started.push(state);
      const worker: StartedWorker = {
        port: {
          send: (message) => {
            state.sent.push(message);
            cross(message, toWorker);
          },
          listen: (listener) => toPage.add(listener),
        },
        onDeath: (listener) => {
          state.die = listener;
        },
        terminate: () => {
          state.alive = false;
        },
      };
      return Promise.resolve(worker);
    },
  };
  return { parts, started, reads };
}

/** Files in memory as a model's source. */
export function sourceOf(files: Files, reads: string[] = []): ModelSource {
  return {
    read: (name) => {
      reads.push(name);
      const bytes = files.get(name);
      const missing = Object.assign(new Error(`no such file: ${name}`), { code: 'FILE_MISSING' });
      return bytes ? Promise.resolve(bytes.slice()) : Promise.reject(missing);
    },
  };
}

export function openNode(device: Device) {
  return device === 'wasm'
    ? Promise.resolve({ backend: named(nodeBackend(), device), adapter: '' })
    : Promise.reject(new Error('no such device'));
}

/** Node's runtime under the name of a device that a page has. */
export function named(backend: Backend, device: Device): Backend {
  return { ...backend, device };
}

/** A photo that is no single colour. */
export function photo(width = 40, height = 30) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) % 256);
  return { width, height, data };
}
