import { parentPort } from 'node:worker_threads';
import { Lut3D } from '../../color/lut3d';

/** From the pool: the LUT for what follows, or a band of pixels, which comes back retouched. */
export type ToLutWorker =
  | { readonly kind: 'lut'; readonly size: number; readonly data: Float32Array }
  | { readonly kind: 'band'; readonly pixels: Uint8Array | Uint16Array; readonly channels: 3 | 4 };

/** A thread of `LutWorkers`. */
let lut: Lut3D | undefined;
parentPort?.on('message', (message: ToLutWorker) => {
  if (message.kind === 'lut') {
    lut = new Lut3D(message.size, message.data);
    return;
  }
  const { pixels, channels } = message;
  lut?.apply(pixels, channels);
  parentPort?.postMessage(pixels, [pixels.buffer as ArrayBuffer]);
});
