import { InferenceError } from './errors';
import type { DeviceKey, Manifest } from './manifest';

/** Bytes that this machine has to give; what is not known is left out and not compared. */
export interface AvailableMemory {
  /** For the process that runs the model, beside the GPU. */
  readonly page?: number | undefined;
  readonly gpu?: number | undefined;
  /** Of one buffer on the GPU: the adapter's maxBufferSize or maxStorageBufferBindingSize, the smaller one. */
  readonly largestBuffer?: number | undefined;
}

const WHAT = {
  page: 'of memory beside the GPU',
  gpu: 'of memory on the GPU',
  largestBuffer: 'in one buffer of the GPU',
} as const;

/**
 * Compares what bundle.json says that the model needs on a device with what is there, before anything of it is loaded.
 * A bundle that says nothing of the device is not refused.
 * Throws InferenceError MEMORY that names each need that cannot be met, with both figures.
 */
export function checkMemory(
  { name, memory }: Pick<Manifest, 'name' | 'memory'>,
  device: Exclude<DeviceKey, 'default'>,
  available: AvailableMemory,
): void {
  const needs = memory.get(device) ?? (device === 'webgpu-f16' ? memory.get('webgpu') : undefined);
  if (!needs) return;
  const short = (['page', 'gpu', 'largestBuffer'] as const).flatMap((part) => {
    const need = needs[part];
    const there = available[part];
    if (need === undefined || there === undefined || need <= there) return [];
    return [`${megabytes(need, Math.ceil)} ${WHAT[part]}, where there are ${megabytes(there, Math.floor)}`];
  });
  if (short.length === 0) return;
  throw new InferenceError(
    `The model "${name}" is too large for the device "${device}": it needs ${short.join('; ')}. Nothing was loaded.`,
    'Close other programs, choose another device, or use a smaller model.',
    undefined,
    'MEMORY',
  );
}

/** Rounded so that a need never looks as if it were met. */
function megabytes(bytes: number, round: (value: number) => number): string {
  return `${round(bytes / 1e6)} MB`;
}
