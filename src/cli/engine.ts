import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openFolderBundle } from '../host/files/folderBundle';
import { Bundle, createOrtBackend, type Manifest, type Mode, readTerms, type ReadTerms, Retoucher } from '../inference';
import { UsageError } from './errors';
import { loadNodeRuntime } from './nodeRuntime';

/** What the command line uses of the model: the retoucher's own methods. */
export type Engine = Pick<
  Retoucher,
  'manifest' | 'loadMs' | 'auto' | 'style' | 'param' | 'reference' | 'bakeMeasuredLut' | 'dispose'
>;

export interface EngineOptions {
  readonly threads: number | undefined;
  /** The mode whose graphs are made ready before the first photo is. */
  readonly mode: Mode;
  readonly signal: AbortSignal;
  /** From 0 to 1, while the model's files are read. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export type EngineLoader = (options: EngineOptions) => Promise<Engine>;

/** A model whose bundle was opened, so that what it is and its terms are known; nothing of it is loaded yet. */
export interface OpenedModel {
  readonly manifest: Pick<Manifest, 'name' | 'version' | 'latentsFirst'> & Partial<Pick<Manifest, 'dimensions'>>;
  /** Terms of its own, where it has some. */
  readonly terms: ReadTerms | undefined;
  /**
   * Makes the mode's graphs ready on onnxruntime-node and verifies all that is read for it. Throws BundleError,
   * InferenceError MEMORY where this machine is too small for it, CancelledError.
   */
  readonly load: EngineLoader;
}

/** Long edge of what the model sees. */
export const PROXY_EDGE = 1024;

/** The bundle's name in results. */
export function bundleName({ manifest: { name, version } }: Pick<OpenedModel, 'manifest'>): string {
  return `${name} ${version}`;
}

/** Name of the device in results. */
export const DEVICE = 'cpu (onnxruntime-node)';

/**
 * Opens the bundle in a folder, the one that comes with the program where none is given: the only time that it is opened.
 * Throws HostError BUNDLE_FOLDER, BundleError, HostCancelledError.
 */
export async function openModel(folder: string | undefined, signal: AbortSignal): Promise<OpenedModel> {
  const bundle = await Bundle.open(await openFolderBundle(bundleFolder(folder), signal), signal);
  return {
    manifest: bundle.manifest,
    terms: await readTerms(bundle),
    load: (options) => loadEngine(bundle, options),
  };
}

async function loadEngine(bundle: Bundle, { threads, mode, signal, onProgress }: EngineOptions): Promise<Engine> {
  const backend = createOrtBackend(await loadNodeRuntime(), {
    device: 'node',
    ...(threads === undefined ? {} : { threads }),
  });
  const retoucher = await Retoucher.load(bundle, backend, {
    signal,
    // A bundle may hold gigabytes for other devices.
    verify: 'used',
    available: { page: process.availableMemory() },
    onProgress: ({ bytes, totalBytes }) => {
      if (bytes !== undefined && totalBytes) onProgress?.(bytes / totalBytes);
    },
  });
  await retoucher.prepare(mode, { signal });
  return retoucher;
}

/** Throws UsageError where the model cannot leave its words out. */
export function requireFast({
  name,
  version,
  latentsFirst,
}: Pick<Manifest, 'name' | 'version' | 'latentsFirst'>): void {
  if (latentsFirst) return;
  throw new UsageError(
    `--fast: the model ${name} ${version} writes its reasoning first and makes the picture of it, so it has no fast answer. ` +
      'No photo was read and nothing was written.',
    'Leave --fast out, or give a model that makes the picture first with --bundle DIR.',
  );
}

/** Folder of the bundle that is used: the one that was given, else the one that comes with the program. */
function bundleFolder(given: string | undefined): string {
  return given ?? path.join(packageRoot(), 'models');
}

/** Folder of this package: the nearest one upwards whose package.json is ours. */
export function packageRoot(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (readPackage(folder)?.name === 'veraretouch') return folder;
    if (folder === path.dirname(folder)) return __dirname;
  }
}

/** The version in package.json. */
export function packageVersion(): string {
  return readPackage(packageRoot())?.version ?? 'unknown';
}

function readPackage(folder: string): { name?: string; version?: string } | undefined {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }) : undefined;
}
