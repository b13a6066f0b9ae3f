import * as ort from 'onnxruntime-web/webgpu';
import { type Device, createOrtBackend } from '../../inference';
import { type FromWorker, type Port, type ToWorker } from './protocol';
import { type OpenedBackend, serveInference } from './server';

/* The worker's own script: a classic one, which a page opened from a file can start from a Blob. */

interface Adapter {
  readonly features: ReadonlySet<string>;
  readonly info?: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
}
interface WorkerScope {
  readonly navigator: { readonly gpu?: { requestAdapter(options?: object): Promise<Adapter | null> } };
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
  return device === 'webgpu' ? openGpu() : { backend: createOrtBackend(ort, { device }), adapter: '' };
}

async function openGpu(): Promise<OpenedBackend> {
  const adapter = await scope.navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('there is no WebGPU here');
  const { vendor = '', architecture = '', description = '', isFallbackAdapter = false } = adapter.info ?? {};
  const half = adapter.features.has('shader-f16') ? 'f16' : 'f32';
  return {
    backend: createOrtBackend(ort, { device: 'webgpu' }),
    adapter: [description || [vendor, architecture].join(' ').trim(), half].filter((text) => text !== '').join(', '),
    software: isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(`${architecture} ${description}`),
    lost: async () => {
      // onnxruntime makes its device with the first session; the property is there from then on.
      const gpu = (await ort.env.webgpu.device) as { lost: Promise<{ message: string; reason: string }> };
      const { message, reason } = await gpu.lost;
      return message || reason;
    },
  };
}

serveInference(port, openBackend);
