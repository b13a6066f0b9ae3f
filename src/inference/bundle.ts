import type { Backend, Device } from './backend';
import { BundleError, messageOf, throwIfCancelled } from './errors';
import { parseManifest, type DeviceKey, type GraphName, type Manifest } from './manifest';
import { checkFileName } from './manifestChecks';

/** Where a bundle's files come from: a folder, a web server, bytes in memory. Names never contain folders. */
export interface BundleSource {
  /**
   * The whole file, as bytes of the caller's own: the source keeps no second copy of them. A source that reads in pieces
   * may call `onBytes` with the bytes read so far. Rejects when there is no such file or it cannot be read.
   */
  read(name: string, onBytes?: (bytes: number) => void): Promise<Uint8Array>;
  /** The names of all files, where the source can tell; lets a missing file be found before anything is read. */
  list?(): Promise<readonly string[]>;
  /** Bytes of a file, where the source can tell without reading it; undefined where it cannot. */
  size?(name: string): Promise<number | undefined>;
}

export interface VerifyProgress {
  readonly file: string;
  readonly done: number;
  readonly total: number;
  /** The same in bytes, where the source can tell. */
  readonly bytes?: number;
  readonly totalBytes?: number;
}

/** The one call of SubtleCrypto that is made here. */
interface Digester {
  digest(algorithm: 'SHA-256', data: Uint8Array): Promise<ArrayBuffer>;
}

const MANIFEST = 'bundle.json';
const CHECKSUMS = 'SHA256SUMS';
/** Bytes of bundle.json, and of SHA256SUMS: ours have 6,032 and 1,439. */
const MOST_LIST = 2 ** 20;
/** Of a file of JSON beside them. Published tokenizers reach 34 MB. */
const MOST_JSON = 64 * 2 ** 20;
const GET_AGAIN = 'Get the whole bundle again from a place that you trust.';

/**
 * A model bundle: a flat folder with bundle.json, SHA256SUMS and the files that they name.
 * No byte leaves this class before its SHA-256 was found equal to the listed one.
 */
export class Bundle {
  private constructor(
    private readonly source: BundleSource,
    private readonly digests: ReadonlyMap<string, string>,
    readonly manifest: Manifest,
  ) {}

  /**
   * Reads SHA256SUMS and bundle.json and checks that every file they need is listed (and there, where the source
   * can tell). Throws BundleError; nothing of a refused bundle is used.
   */
  static async open(source: BundleSource, signal?: AbortSignal): Promise<Bundle> {
    throwIfCancelled(signal);
    const present = await listFiles(source);
    const sums = await readFile(source, CHECKSUMS, { present, most: MOST_LIST });
    const digests = parseChecksums(decodeText(sums, CHECKSUMS));
    requireListed(digests, MANIFEST, 'Every bundle has one');
    for (const name of digests.keys()) requirePresent(present, name);
    throwIfCancelled(signal);
    const json = await readVerified(source, MANIFEST, digests, { present, most: MOST_LIST });
    const manifest = parseManifest(parseJson(json, MANIFEST));
    for (const [name, why] of filesOf(manifest)) requireListed(digests, name, why);
    return new Bundle(source, digests, manifest);
  }

  /** All files of the bundle but SHA256SUMS itself, in its order. */
  get files(): readonly string[] {
    return [...this.digests.keys()];
  }

  /** Reads one file and verifies it. Throws BundleError when it is missing, unreadable, not listed or changed. */
  async read(name: string, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Uint8Array> {
    return this.readBounded(name, { onBytes }, signal);
  }

  /** Reads one file as JSON. Throws as `read` does, and BundleError when it is no JSON or has more bytes than `most`, 64 MiB. */
  async readJson(name: string, signal?: AbortSignal, most = MOST_JSON): Promise<unknown> {
    return parseJson(await this.readBounded(name, { most }, signal), name);
  }

  private async readBounded(name: string, options: ReadOptions, signal: AbortSignal | undefined): Promise<Uint8Array> {
    throwIfCancelled(signal);
    requireListed(this.digests, name, 'Something asked for it');
    const bytes = await readVerified(this.source, name, this.digests, options);
    throwIfCancelled(signal);
    return bytes;
  }

  /** Bytes of files together; undefined unless the source can tell all of them. */
  async sizeOf(names: readonly string[]): Promise<number | undefined> {
    let sum = 0;
    for (const name of names) {
      // A size is for a bar on a screen: what cannot be asked now will say so when it is read.
      const size = await this.source.size?.(name).catch(() => undefined);
      if (size === undefined) return undefined;
      sum += size;
    }
    return sum;
  }

  /** The key under which a graph's file for a device is found: the device's own, then those that serve it too. */
  graphKey(graph: GraphName, { device, halfFloat }: Pick<Backend, 'device' | 'halfFloat'>): DeviceKey | undefined {
    return keysOf(device, halfFloat).find((key) => this.manifest.graphs[graph].has(key));
  }

  /**
   * The file of a graph for a device: the device's own if the bundle has one, else the default one. On WebGPU with half
   * precision the file for that comes first. Throws BundleError BUNDLE_GRAPH_MISSING.
   */
  graphFile(graph: GraphName, device: Device, halfFloat = false): string {
    const files = this.manifest.graphs[graph];
    const key = this.graphKey(graph, { device, halfFloat });
    if (key !== undefined) return files.get(key)!;
    throw new BundleError(
      'BUNDLE_GRAPH_MISSING',
      `The bundle has no file of the graph "${graph}" for the device "${device}", and no default one. It was not loaded.`,
      `Use one of the devices that the bundle serves: ${[...files.keys()].join(', ') || 'none'}.`,
    );
  }

  /** Verifies every file of the bundle, also those that the next call would not use. Throws as `read` does. */
  async verifyAll(
    options: { signal?: AbortSignal; onProgress?: (progress: VerifyProgress) => void } = {},
  ): Promise<void> {
    const { signal, onProgress } = options;
    await readAll(this, this.files, { signal, onProgress }, async (name, onBytes) => {
      await this.read(name, signal, onBytes);
    });
  }
}

/**
 * Takes files one after the other and tells how far that is, in files and, where the source can tell, in bytes.
 * The signal is looked at between files by `take` itself.
 */
export async function readAll(
  bundle: Pick<Bundle, 'sizeOf'>,
  names: readonly string[],
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((progress: VerifyProgress) => void) | undefined },
  take: (name: string, onBytes: (bytes: number) => void) => Promise<void>,
): Promise<void> {
  const total = names.length;
  throwIfCancelled(signal);
  const totalBytes = onProgress && (await bundle.sizeOf(names));
  let before = 0;
  for (const [done, file] of names.entries()) {
    const tell = (bytes: number): void =>
      onProgress?.({ file, done, total, ...(totalBytes === undefined ? {} : { bytes: before + bytes, totalBytes }) });
    tell(0);
    await take(file, tell);
    if (totalBytes !== undefined) before += (await bundle.sizeOf([file])) ?? 0;
  }
}

const KEYS: Readonly<Record<Device, readonly DeviceKey[]>> = {
  node: ['node', 'default'],
  wasm: ['wasm', 'default'],
  webgpu: ['webgpu', 'default'],
};

function keysOf(device: Device, halfFloat: boolean): readonly DeviceKey[] {
  return device === 'webgpu' && halfFloat ? ['webgpu-f16', ...KEYS.webgpu] : KEYS[device];
}

/**
 * Parses the output of `sha256sum`: 64 hexadecimal digits, two spaces (or space and star), a file name.
 * Throws BundleError BUNDLE_CHECKSUMS with the line's number, or BUNDLE_FILE_NAME.
 */
export function parseChecksums(text: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  const lines = text.split('\n');
  for (const [i, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '');
    if (line === '' && i === lines.length - 1) continue;
    const match = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line);
    if (!match) throw badChecksums(`its line ${i + 1} is not "<64 hexadecimal digits>  <file name>"`);
    const name = checkFileName(match[2], `${CHECKSUMS}, line ${i + 1},`);
    if (digests.has(name)) throw badChecksums(`it lists ${name} twice`);
    digests.set(name, match[1].toLowerCase());
  }
  if (digests.size === 0) throw badChecksums('it lists no file');
  return digests;
}

/** SHA-256 of the bytes as 64 lower-case hexadecimal digits. Throws BundleError where the platform offers none. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Pages that are no secure context have no SubtleCrypto, whatever the platform's types say.
  const { subtle } = (globalThis as { crypto?: { subtle?: Digester } }).crypto ?? {};
  if (!subtle) {
    throw new BundleError(
      'BUNDLE_NO_CRYPTO',
      'This page has no SHA-256 (crypto.subtle), so the bundle cannot be verified. It was not loaded.',
      'Open the page from https, from localhost or from a file.',
    );
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function* filesOf(manifest: Manifest): Generator<[name: string, why: string]> {
  for (const [graph, files] of Object.entries(manifest.graphs)) {
    for (const [device, name] of files) yield [name, `bundle.json names it as graphs.${graph}.${device}`];
  }
  for (const [graph, name] of manifest.weights) yield [name, `bundle.json names it as weights.${graph}`];
  yield [manifest.tokenizerFile, 'bundle.json names it as tokenizer.tokenizer'];
  yield [manifest.tokenizerConfigFile, 'bundle.json names it as tokenizer.config'];
  if (manifest.outputTokensFile !== undefined) {
    yield [manifest.outputTokensFile, 'bundle.json names it as outputTokens'];
  }
  if (manifest.terms) yield [manifest.terms.file, 'bundle.json names it as terms.file'];
  if (manifest.sectionTokensFile !== undefined) {
    yield [manifest.sectionTokensFile, 'bundle.json names it as sectionTokens'];
  }
  if (manifest.wordingFile !== undefined) yield [manifest.wordingFile, 'bundle.json names it as wording'];
}

async function listFiles(source: BundleSource): Promise<ReadonlySet<string> | undefined> {
  if (!source.list) return undefined;
  try {
    return new Set(await source.list());
  } catch (cause) {
    throw new BundleError(
      'BUNDLE_FILE_UNREADABLE',
      `The files of the bundle could not be listed: ${messageOf(cause)}. Nothing was loaded.`,
      'Check that the bundle is where you said and that you may read it.',
      cause,
    );
  }
}

function requirePresent(present: ReadonlySet<string> | undefined, name: string): void {
  if (!present || present.has(name)) return;
  throw new BundleError(
    'BUNDLE_FILE_MISSING',
    `The bundle has no file ${name}. Nothing was loaded.`,
    name === CHECKSUMS || name === MANIFEST
      ? 'Check that this is the folder of a model bundle; get the bundle again if it is.'
      : GET_AGAIN,
  );
}

function requireListed(digests: ReadonlyMap<string, string>, name: string, why: string): void {
  if (digests.has(name)) return;
  throw new BundleError(
    'BUNDLE_FILE_NOT_LISTED',
    `${CHECKSUMS} does not list ${name}, so it cannot be verified and was not used. ${why}.`,
    GET_AGAIN,
  );
}

interface ReadOptions {
  /** The names of all files, where they are known. */
  readonly present?: ReadonlySet<string> | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Bytes that the file may have. */
  readonly most?: number | undefined;
}

async function readFile(source: BundleSource, name: string, options: ReadOptions): Promise<Uint8Array> {
  const { present, onBytes, most = Infinity } = options;
  requirePresent(present, name);
  // What cannot tell its size now will say why when it is read.
  const told = most < Infinity ? await source.size?.(name).catch(() => undefined) : undefined;
  if (told !== undefined && told > most) throw tooLarge(name, told, most);
  const bytes = await readWhole(source, name, onBytes);
  if (bytes.length > most) throw tooLarge(name, bytes.length, most);
  return bytes;
}

async function readWhole(
  source: BundleSource,
  name: string,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<Uint8Array> {
  try {
    return await source.read(name, onBytes);
  } catch (cause) {
    const missing = cause instanceof Error && (cause as Error & { code?: unknown }).code === 'ENOENT';
    throw new BundleError(
      missing ? 'BUNDLE_FILE_MISSING' : 'BUNDLE_FILE_UNREADABLE',
      missing
        ? `The bundle has no file ${name}. It was not loaded.`
        : `The file ${name} of the bundle could not be read: ${messageOf(cause)}. It was not loaded.`,
      missing ? GET_AGAIN : 'Check that the bundle is where you said and that you may read it.',
      cause,
    );
  }
}

async function readVerified(
  source: BundleSource,
  name: string,
  digests: ReadonlyMap<string, string>,
  options: ReadOptions,
): Promise<Uint8Array> {
  const bytes = await readFile(source, name, options);
  const actual = await sha256(bytes);
  const expected = digests.get(name);
  if (actual === expected) return bytes;
  throw new BundleError(
    'BUNDLE_HASH',
    `The file ${name} (${bytes.length} bytes) is not the one that ${CHECKSUMS} lists: its SHA-256 is ${actual}, ` +
      `expected ${expected ?? 'none'}. It was not used.`,
    `The file is damaged or was changed. ${GET_AGAIN}`,
  );
}

function tooLarge(name: string, bytes: number, most: number): BundleError {
  return new BundleError(
    'BUNDLE_FILE_SIZE',
    `The file ${name} of the bundle has ${bytes} bytes; at most ${most} are taken. It was not used.`,
    GET_AGAIN,
  );
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BundleError('BUNDLE_JSON', `${name} is not UTF-8 text. It was not used.`, GET_AGAIN, cause);
  }
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  const text = decodeText(bytes, name);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new BundleError(
      'BUNDLE_JSON',
      `${name} is not valid JSON: ${messageOf(cause)}. It was not used.`,
      GET_AGAIN,
      cause,
    );
  }
}

function badChecksums(what: string): BundleError {
  return new BundleError('BUNDLE_CHECKSUMS', `${CHECKSUMS} cannot be used: ${what}. Nothing was loaded.`, GET_AGAIN);
}
