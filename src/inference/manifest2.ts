import type { AnswerMode, DeviceKey, Section } from './manifest';
import { asArray, asFile, asInteger, asObject, asOneOf, asText, MOST_TEXT, type Raw, wrong } from './manifestChecks';

// What a bundle.json may hold from format version 2 on: what a published model needs that is not ours.

/** How a photo becomes the square that the vision graph sees. */
export type PhotoInput =
  /** Squashed by adaptive average pooling. */
  | { readonly kind: 'squash'; readonly size: number }
  /** Shrunk until the short edge is `shortEdge`, put on a black square, resized to `size`; all in 8 bits. */
  | { readonly kind: 'letterbox'; readonly shortEdge: number; readonly size: number };

/** How each photo of a reference pair becomes the square that the encoder sees. */
export type ReferenceInput =
  | { readonly kind: 'squash'; readonly size: number }
  /** Resized with a bilinear filter in 8 bits; the planes in the order of `channels`. */
  | { readonly kind: 'resize'; readonly size: number; readonly channels: 'rgb' | 'bgr' };

/** A key/value cache of one size from the first run on. */
export interface StaticCache {
  /** Prompt and answer may take this many positions together. */
  readonly positions: number;
  /** Devices whose decoder keeps it in half precision. */
  readonly float16: ReadonlySet<DeviceKey>;
}

/** What must be shown and accepted before first use. */
export interface Terms {
  readonly summary: string;
  readonly file: string;
}

/** Bytes needed at the peak, by count. */
export interface MemoryNeeds {
  /** Of the process, beside the GPU. */
  readonly page: number;
  readonly gpu?: number | undefined;
  /** The largest single buffer on the GPU. */
  readonly largestBuffer?: number | undefined;
}

export interface Version2 {
  readonly parameterText?: 'python-dict' | undefined;
  /** Plain text before each section and, last, before the retouch tokens. */
  readonly separators: Readonly<Record<AnswerMode, readonly string[]>>;
  readonly cache?: StaticCache | undefined;
  readonly terms?: Terms | undefined;
  readonly memory: ReadonlyMap<DeviceKey, MemoryNeeds>;
  /** May the model be used for research only? */
  readonly research: boolean;
  /** A graph's file -> the file that holds its weights, which a page's runtime takes over without copying them. */
  readonly weights: ReadonlyMap<string, string>;
  /** Devices that have no room for the vision graph beside the decoder: there it is released once it has been used. */
  readonly releaseVision: ReadonlySet<DeviceKey>;
}

/** Of the square that a graph sees, which is made before the graph is there to be asked: 50 MB of numbers. */
const LONGEST_EDGE = 2048;
const ENTRIES = ['parameterText', 'separators', 'cache', 'terms', 'memory', 'research', 'weights', 'release'] as const;
const CACHE_DEVICES: readonly DeviceKey[] = ['default', 'node', 'wasm', 'webgpu', 'webgpu-f16'];
const MEMORY_DEVICES: readonly DeviceKey[] = ['node', 'wasm', 'webgpu', 'webgpu-f16'];
const PAGE_DEVICES: readonly string[] = ['wasm', 'webgpu', 'webgpu-f16'];
/** Beyond any machine, and exact in a float64. */
const MOST_BYTES = 2 ** 44;

/** The entries of version 1, after a look that nothing of version 2 is among them. */
export function withoutVersion2(root: Raw, answer: Readonly<Record<AnswerMode, readonly Section[]>>): Version2 {
  for (const name of ENTRIES) if (root[name] !== undefined) wrong(name, root[name], 'absent in formatVersion 1');
  const none = { weights: new Map<string, string>(), releaseVision: new Set<DeviceKey>() };
  return { ...none, separators: parseSeparators(undefined, answer), memory: new Map(), research: false };
}

/** The entries of version 2. Throws BundleError BUNDLE_MANIFEST. */
export function parseVersion2(root: Raw, answer: Readonly<Record<AnswerMode, readonly Section[]>>): Version2 {
  const { parameterText, research } = root;
  return {
    parameterText:
      parameterText === undefined ? undefined : asOneOf(parameterText, 'parameterText', ['python-dict'] as const),
    separators: parseSeparators(root['separators'], answer),
    cache: root['cache'] === undefined ? undefined : parseCache(root['cache']),
    terms: root['terms'] === undefined ? undefined : parseTerms(root['terms']),
    memory: root['memory'] === undefined ? new Map() : parseMemory(root['memory']),
    research:
      research === undefined || typeof research === 'boolean'
        ? research === true
        : wrong('research', research, 'true or false'),
    weights: parseWeights(root),
    releaseVision: parseRelease(root['release']),
  };
}

/** `preprocess.image`; in version 1 there is one kind, which needs no name. */
export function parsePhotoInput(json: unknown, version: 1 | 2): PhotoInput {
  const where = 'preprocess.image';
  const raw = asObject(json, where);
  const size = asInteger(raw['size'], `${where}.size`, 1, LONGEST_EDGE);
  if (kindOf(raw, where, version, 'letterbox') === 'squash') return { kind: 'squash', size };
  return { kind: 'letterbox', shortEdge: asInteger(raw['shortEdge'], `${where}.shortEdge`, 1, LONGEST_EDGE), size };
}

/** `preprocess.reference`. */
export function parseReferenceInput(json: unknown, version: 1 | 2): ReferenceInput {
  const where = 'preprocess.reference';
  const raw = asObject(json, where);
  const size = asInteger(raw['size'], `${where}.size`, 1, LONGEST_EDGE);
  if (kindOf(raw, where, version, 'resize') === 'squash') return { kind: 'squash', size };
  return { kind: 'resize', size, channels: asOneOf(raw['channels'], `${where}.channels`, ['rgb', 'bgr'] as const) };
}

function kindOf<T extends string>(raw: Raw, where: string, version: 1 | 2, other: T): 'squash' | T {
  const { kind = 'squash' } = raw;
  if (version === 1) return kind === 'squash' ? 'squash' : wrong(`${where}.kind`, kind, '"squash" in formatVersion 1');
  return asOneOf<'squash' | T>(kind, `${where}.kind`, ['squash', other]);
}

function parseSeparators(
  json: unknown,
  answer: Readonly<Record<AnswerMode, readonly Section[]>>,
): Record<AnswerMode, readonly string[]> {
  const raw = json === undefined ? {} : asObject(json, 'separators');
  const unknown = Object.keys(raw).find((mode) => !Object.hasOwn(answer, mode));
  if (unknown !== undefined) wrong(`separators.${unknown}`, raw[unknown], 'under auto, style or param');
  const of = (mode: AnswerMode): readonly string[] => {
    const count = answer[mode].length + 1;
    if (raw[mode] === undefined) return new Array<string>(count).fill('');
    const texts = asArray(raw[mode], `separators.${mode}`);
    if (texts.length !== count) {
      wrong(`separators.${mode}`, texts, `${count} texts: one before each section, one before the retouch tokens`);
    }
    return texts.map((text, i) =>
      typeof text === 'string' ? text : wrong(`separators.${mode}[${i}]`, text, 'a text'),
    );
  };
  return { auto: of('auto'), style: of('style'), param: of('param') };
}

function parseCache(json: unknown): StaticCache {
  const raw = asObject(json, 'cache');
  const float16 = raw['float16'] === undefined ? [] : asArray(raw['float16'], 'cache.float16');
  return {
    positions: asInteger(raw['positions'], 'cache.positions', 1, 131_072),
    float16: new Set(float16.map((device, i) => asOneOf(device, `cache.float16[${i}]`, CACHE_DEVICES))),
  };
}

/** Only a page's runtime takes weights that are apart: every device that a graph's file serves must be one of those. */
function parseWeights({ weights, graphs }: Raw): ReadonlyMap<string, string> {
  if (weights === undefined) return new Map();
  const served = Object.values(asObject(graphs, 'graphs')).flatMap((files) => Object.entries(files as object));
  const entries = Object.entries(asObject(weights, 'weights')).map(([graph, file]) => {
    const devices = served.filter(([, name]) => name === graph).map(([device]) => device);
    if (devices.length === 0 || devices.some((device) => !PAGE_DEVICES.includes(device))) {
      wrong(`weights.${graph}`, file, `those of a graph's file for ${PAGE_DEVICES.join(', ')} only`);
    }
    return [graph, asFile(file, `weights.${graph}`)] as const;
  });
  return new Map(entries);
}

function parseRelease(json: unknown): ReadonlySet<DeviceKey> {
  const devices = Object.entries(json === undefined ? {} : asObject(json, 'release')).map(([name, graphs]) => {
    const where = `release.${name}`;
    const names = asArray(graphs, where);
    if (names.length !== 1 || names[0] !== 'vision') wrong(where, graphs, '["vision"]');
    return asOneOf(name, where, MEMORY_DEVICES);
  });
  return new Set(devices);
}

function parseTerms(json: unknown): Terms {
  const raw = asObject(json, 'terms');
  return { summary: asText(raw['summary'], 'terms.summary', MOST_TEXT), file: asFile(raw['file'], 'terms.file') };
}

function parseMemory(json: unknown): ReadonlyMap<DeviceKey, MemoryNeeds> {
  const needs = Object.entries(asObject(json, 'memory')).map(([name, item]) => {
    const device = MEMORY_DEVICES.find((known) => known === name);
    if (device === undefined) return wrong(`memory.${name}`, item, `keyed by one of ${MEMORY_DEVICES.join(', ')}`);
    const raw = asObject(item, `memory.${name}`);
    const bytes = (key: string) => asInteger(raw[key], `memory.${name}.${key}`, 0, MOST_BYTES);
    const optional = (key: string) => (raw[key] === undefined ? undefined : bytes(key));
    const need = { page: bytes('page'), gpu: optional('gpu'), largestBuffer: optional('largestBuffer') };
    return [device, need] as const;
  });
  return new Map(needs);
}
