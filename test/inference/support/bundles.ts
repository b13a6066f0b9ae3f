import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type BundleSource } from '../../../src/inference';

export type Files = Map<string, Uint8Array>;

/** Parsed JSON that a test takes apart or spoils on purpose. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Loose = any;

const ROOT = path.resolve(__dirname, '../../..');
export const TINY = path.join(ROOT, 'test/fixtures/tiny-bundle');
/** The same with the picture before the words, in 16 voices. */
export const TINY_FIRST = path.join(ROOT, 'test/fixtures/tiny-first');
/** The tiny adaptor for a bundle without rows of factors: it takes the states alone. */
export const PLAIN_ADAPTOR = path.join(ROOT, 'test/fixtures/plain-adaptor.onnx');
const SHIPPED = path.join(ROOT, 'models');

/** The tiny bundles of random weights always; the shipped one where it has been made. */
export const BUNDLES: [name: string, folder: string][] = [
  ['tiny', TINY],
  ['tiny, picture first', TINY_FIRST],
];
if (existsSync(path.join(SHIPPED, 'SHA256SUMS'))) BUNDLES.push(['shipped', SHIPPED]);

export function readBundle(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(path.join(folder, name)))]));
}

export function memorySource(
  files: Files,
  options: { list?: boolean } = {},
): BundleSource & { readonly reads: string[] } {
  const reads: string[] = [];
  const source = {
    reads,
    read: async (name: string) => {
      reads.push(name);
      const bytes = files.get(name);
      if (!bytes) throw Object.assign(new Error(`no such file: ${name}`), { code: 'ENOENT' });
      return bytes;
    },
  };
  return options.list ? { ...source, list: async () => [...files.keys()] } : source;
}

/** A copy in which SHA256SUMS fits the files again, as if someone had made this bundle on purpose. */
export function rehashed(files: Files): Files {
  const names = [...files.keys()].filter((name) => name !== 'SHA256SUMS').sort();
  const lines = names.map((name) => `${createHash('sha256').update(files.get(name)!).digest('hex')}  ${name}\n`);
  return new Map([...files, ['SHA256SUMS', bytesOf(lines.join(''))]]);
}

/** A consistent copy of a bundle whose bundle.json was edited. */
export function withManifest(files: Files, edit: (manifest: Loose) => unknown): Files {
  const manifest = jsonOf(files, 'bundle.json');
  edit(manifest);
  return rehashed(new Map([...files, ['bundle.json', bytesOf(JSON.stringify(manifest))]]));
}

export function jsonOf(files: Files, name: string): Loose {
  return JSON.parse(new TextDecoder().decode(files.get(name)));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
