import { type FromWorker } from './protocol';
import { type Assets } from './assets';
import { type EngineParts, type StartedWorker } from './engine';

/** Files beside the page, as `npm run build:web` lays them out. */
const WORKER = 'worker.js';
const WASM = 'ort.wasm';
const MODEL = 'model/';

/** The engine's parts in a page: its script, the runtime and the model all come as bytes through the asset ladder. */
export function pageEngineParts(assets: Assets): EngineParts {
  return {
    startWorker: async () => startBlobWorker(await assets.read(WORKER)),
    readWasm: async () => (await assets.read(WASM)).buffer as ArrayBuffer,
    model: { read: (name, _onBytes, signal) => assets.read(MODEL + name, signal) },
  };
}

/** A local page may start workers from blobs only. */
function startBlobWorker(script: Uint8Array): StartedWorker {
  const url = URL.createObjectURL(new Blob([script as Uint8Array<ArrayBuffer>], { type: 'text/javascript' }));
  const worker = new Worker(url);
  let tell: ((reason: string) => void) | undefined;
  worker.onerror = (event) => {
    event.preventDefault();
    tell?.(event.message || 'it could not be started');
  };
  return {
    port: {
      send: (message, transfer = []) => {
        worker.postMessage(message, transfer);
      },
      listen: (listener) => {
        worker.onmessage = ({ data }) => {
          listener(data as FromWorker);
        };
      },
    },
    onDeath: (listener) => {
      tell = listener;
    },
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
