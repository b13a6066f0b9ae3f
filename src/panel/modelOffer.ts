import { type ModelFolder } from '../host/folders';
import { type Capabilities, type Device, type Manifest, type MemoryNeeds, type ReadTerms } from '../inference';
import { Bundle, checkMemory, plainText, readTerms } from '../inference';
import { sha256 } from '../inference/bundle';
import { isMissing, messageOf } from './errors';
import { type MachineDevice } from './worker/machine';
import { type ModelSource } from './worker/session';

/** What a person is told of a model before it is used. */
export interface ModelOffer {
  readonly folder: ModelFolder;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly research: boolean;
  readonly capabilities: Capabilities;
  /** Of all its files. */
  readonly bytes: number;
  readonly memory: readonly MemoryLine[];
  /** Is there a device that can hold it? Where nothing is known, that is not ruled out. */
  readonly fits: boolean;
  readonly terms: OfferedTerms | undefined;
}

export interface OfferedTerms extends ReadTerms {
  /** What an acceptance is of. */
  readonly key: Acceptance;
}

/** SHA-256 of bundle.json and of the licence's text, in hexadecimal digits. */
export interface Acceptance {
  readonly bundle: string;
  readonly terms: string;
}

/** What one device must hold and, where it is known, can. Bytes. */
export interface MemoryLine {
  readonly device: Device;
  readonly fits: boolean;
  readonly need: MemoryNeeds;
  readonly there: { readonly page?: number | undefined; readonly largestBuffer?: number | undefined };
}

const LONGEST_NAME = 60;

/**
 * Reads what bundle.json and SHA256SUMS say, sees that all files are there, and reads the licence, each checked.
 * Throws BundleError and what the source throws; nothing of the model is loaded.
 */
export async function readOffer(
  source: ModelSource,
  folder: ModelFolder,
  devices: readonly MachineDevice[],
  signal?: AbortSignal,
): Promise<ModelOffer> {
  const read = (name: string): Promise<Uint8Array> =>
    source.read(name, undefined, signal).catch((thrown: unknown) => {
      // The code by which the bundle knows a file that is not there.
      throw isMissing(thrown) ? Object.assign(new Error(messageOf(thrown)), { code: 'ENOENT' }) : thrown;
    });
  const bundle = await Bundle.open({ read }, signal);
  const { manifest } = bundle;
  let bytes = 0;
  for (const name of bundle.files) bytes += (await source.size?.(name)) ?? 0;
  const memory = devices.flatMap((device) => memoryLine(manifest, device));
  const { name, version, licence, research, graphs, latentsFirst } = manifest;
  return {
    folder,
    name: plainText(name).slice(0, LONGEST_NAME),
    version: plainText(version).slice(0, LONGEST_NAME),
    licence: plainText(licence).slice(0, LONGEST_NAME),
    research,
    capabilities: { sliders: graphs.params.size > 0, reference: graphs.encoder.size > 0, pictureFirst: latentsFirst },
    bytes,
    memory,
    fits: memory.length < devices.length || memory.some(({ fits }) => fits),
    terms: await termsOf(bundle, signal),
  };
}

export function isAccepted(accepted: readonly Acceptance[], { bundle, terms }: Acceptance): boolean {
  return accepted.some((one) => one.bundle === bundle && one.terms === terms);
}

async function termsOf(bundle: Bundle, signal: AbortSignal | undefined): Promise<OfferedTerms | undefined> {
  const terms = await readTerms(bundle, signal);
  const { terms: named } = bundle.manifest;
  if (!terms || !named) return undefined;
  const hash = async (name: string): Promise<string> => sha256(await bundle.read(name, signal));
  return { ...terms, key: { bundle: await hash('bundle.json'), terms: await hash(named.file) } };
}

function memoryLine(manifest: Manifest, { device, key, available }: MachineDevice): MemoryLine[] {
  const { memory } = manifest;
  const need = memory.get(key) ?? (key === 'webgpu-f16' ? memory.get('webgpu') : undefined);
  if (!need) return [];
  const { page, largestBuffer } = available;
  try {
    checkMemory(manifest, key, available);
    return [{ device, fits: true, need, there: { page, largestBuffer } }];
  } catch {
    return [{ device, fits: false, need, there: { page, largestBuffer } }];
  }
}
