import type { Backend } from './backend';
import { Bundle, type BundleSource } from './bundle';
import { pause, throwIfCancelled } from './errors';
import { compileSkeleton, type Skeleton } from './grammar';
import { Graphs } from './graphs';
import { Grounding } from './grounding/guide';
import { parseWording } from './grounding/wording';
import { checkMemory } from './memory';
import type { LoadOptions } from './result';
import { BundleTokenizer } from './tokenizer';

/** Bytes of wording.json, of which every verb goes with every object; ours has 134,610. */
const MOST_WORDING = 4 * 2 ** 20;

/** A bundle that was opened and verified, with what its files of data say. Graphs are loaded when first needed. */
export interface OpenedBundle {
  readonly bundle: Bundle;
  readonly graphs: Graphs;
  readonly tokenizer: BundleTokenizer;
  readonly skeleton: Skeleton;
  /** In a bundle with a wording. */
  readonly grounding?: Grounding | undefined;
}

/** Throws BundleError when the bundle cannot be used, InferenceError MEMORY when the device cannot hold it, CancelledError. */
export async function openBundle(
  source: BundleSource | Bundle,
  backend: Backend,
  { onProgress, signal, verify, available }: LoadOptions,
): Promise<OpenedBundle> {
  const bundle = source instanceof Bundle ? source : await Bundle.open(source, signal);
  const { manifest } = bundle;
  checkMemory(manifest, backend.halfFloat ? 'webgpu-f16' : backend.device, available ?? {});
  if (verify !== 'used') {
    await bundle.verifyAll({
      ...(signal ? { signal } : {}),
      onProgress: (progress) => onProgress?.({ stage: 'verify', ...progress }),
    });
  }
  const tokenizer = BundleTokenizer.create(
    await bundle.readJson(manifest.tokenizerFile, signal),
    await bundle.readJson(manifest.tokenizerConfigFile, signal),
    manifest.tokenizerFile,
  );
  const optional = async (file: string | undefined, most?: number) =>
    file === undefined ? undefined : await bundle.readJson(file, signal, most);
  const outputTokens = await optional(manifest.outputTokensFile);
  const sectionTokens = await optional(manifest.sectionTokensFile);
  await pause(signal);
  const skeleton = compileSkeleton(manifest, tokenizer, outputTokens, sectionTokens);
  const { wordingFile: file } = manifest;
  const grounding =
    file === undefined
      ? file
      : new Grounding(parseWording(await optional(file, MOST_WORDING), file), tokenizer, skeleton);
  const graphs = new Graphs(
    bundle,
    backend,
    onProgress &&
      ((file) => {
        onProgress({ stage: 'load', ...file });
      }),
  );
  throwIfCancelled(signal);
  return { bundle, graphs, tokenizer, skeleton, grounding };
}
