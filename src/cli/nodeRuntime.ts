import type { OrtModule } from '../inference/backend';

/**
 * onnxruntime-node with its maker's telemetry switched off; nothing else in the project loads it. Left alone, the native
 * library keeps an id of the machine in `~/.cache/Microsoft`, queues events there and looks up a host to upload them to.
 * It reads this variable once, as it is loaded, so the variable has to be set before, and on the main thread: a worker
 * thread's `process.env` is a copy that native code never sees.
 */
export async function loadNodeRuntime(): Promise<OrtModule> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  // Loaded here and not above, so that --help answers at once.
  return import('onnxruntime-node');
}
