import * as ort from 'onnxruntime-node';
import { createOrtBackend, type Backend } from '../../../src/inference';

/**
 * For tests under jest only, whose environment has switched the runtime's telemetry off by then; scripts load what is
 * beside this file. One thread: these tests share the machine, and a fixed order of additions makes them repeatable.
 */
export function nodeBackend(): Backend {
  return createOrtBackend(ort, { device: 'node', threads: 1 });
}
