import * as ort from 'onnxruntime-web/webgpu';
import { type Device, createOrtBackend } from '../../inference';
import { type MachineScope, adapterOf, gpuDevice, wasmDevice } from './machine';
import { type FromWorker, type Port, type ToWorker } from './protocol';
import { type OpenedBackend, serveInference } from './server';

/* The worker's own script: a classic one, which a page opened from a file can start from a Blob. */

interface WorkerScope extends MachineScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}
const scope = globalThis as unknown as WorkerScope;

const port: Port<FromWorker, ToWorker> = {
  send: (message, transfer = []) => {
    scope.postMessage(message, transfer);
  },
  listen: (listener) => {
    scope.addEventListener('message', ({ data }) => {
      listener(data as ToWorker);
    });
  },
};

async function openBackend(device: Device, wasm: ArrayBuffer | undefined): Promise<OpenedBackend> {
  // More threads would need a page with headers that no local page can have.
  ort.env.wasm.numThreads = 1;
  if (wasm) ort.env.wasm.wasmBinary = wasm;
  if (device === 'webgpu') return openGpu();
  return { backend: createOrtBackend(ort, { device }), adapter: '', available: wasmDevice(scope).available };
}

async function openGpu(): Promise<OpenedBackend> {
  const adapter = await adapterOf(scope);
  if (!adapter) throw new Error('there is no WebGPU here');
  const { vendor = '', architecture = '', description = '' } = adapter.info ?? {};
  const { available, software, key } = gpuDevice(scope, adapter);
  const halfFloat = key === 'webgpu-f16';
  const half = halfFloat ? 'f16' : 'f32';
  return {
    backend: createOrtBackend(ort, { device: 'webgpu', halfFloat }),
    adapter: [description || [vendor, architecture].join(' ').trim(), half].filter((text) => text !== '').join(', '),
    software,
    available,
    lost: async () => {
      // onnxruntime makes its device with the first session; the property is there from then on.
      const gpu = (await ort.env.webgpu.device) as { lost: Promise<{ message: string; reason: string }> };
      const { message, reason } = await gpu.lost;
      return message || reason;
    },
  };
}

serveInference(port, openBackend);
