import { BundleError } from './errors';
import { PARAMETER_NAMES } from './params';

/** The graphs that every bundle has; "style" and "effect" come with `focus`. */
export const GRAPH_NAMES = ['vision', 'params', 'embed', 'decoder', 'adaptor', 'renderer', 'encoder'] as const;
export const FOCUS_GRAPHS = ['style', 'effect'] as const;
export type GraphName = (typeof GRAPH_NAMES | typeof FOCUS_GRAPHS)[number];

/** Modes in which the language model answers. (Reference mode uses the encoder only.) */
export const ANSWER_MODES = ['auto', 'style', 'param'] as const;
export type AnswerMode = (typeof ANSWER_MODES)[number];
export type Mode = AnswerMode | 'reference';

/** The pieces of reasoning, named as in a result's JSON. */
export const FIELDS = [
  'elements',
  'problems.light',
  'problems.globalColor',
  'problems.specificColor',
  'plan.light',
  'plan.globalColor',
  'plan.specificColor',
] as const;
export type Field = (typeof FIELDS)[number];

/** One part of an answer: the token that opens it, at most `maxTokens` tokens of text, the token that closes it. */
export interface Section {
  readonly field: Field;
  readonly start: string;
  readonly end: string;
  readonly maxTokens: number;
}

export interface Dimensions {
  /** Width of a token's embedding and hidden state. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Values of one factor's latent. */
  readonly latent: number;
  /** Rows that a photo, and the 38 parameters, take in a prompt. */
  readonly imageTokens: number;
  readonly paramTokens: number;
  readonly vocabulary: number;
}

/** bundle.json of format version 1, checked. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly dimensions: Dimensions;
  /** Edge in pixels of the square inputs of the vision graph and of the encoder. */
  readonly imageSize: number;
  readonly referenceSize: number;
  /** Graph -> device -> file; the device "default" serves those not named. */
  readonly graphs: Readonly<Record<GraphName, ReadonlyMap<string, string>>>;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  readonly outputTokensFile: string;
  /** Present when each field of an answer has tokens of its own; else every field may hold all text. */
  readonly sectionTokensFile?: string | undefined;
  readonly prompts: Readonly<Record<AnswerMode, string>>;
  readonly answer: Readonly<Record<AnswerMode, readonly Section[]>>;
  /** Tokens whose predicting states become the latents of light, global colour and specific colour. */
  readonly retouchTokens: readonly [string, string, string];
  readonly maxInstructionTokens: number;
  readonly lutSize: number;
  /**
   * Present when each factor has a row of its own that is added to the embeddings where the answer turns to that
   * factor: `imageRow` is the first of a photo's three; sliders have their own rows, styles those of the graph "style",
   * what is planned does to the photo what the graph "effect" says. The adaptor then takes the plan's rows beside the
   * states.
   */
  readonly focus?: { readonly imageRow: number } | undefined;
}

const GET_AGAIN = 'Get the whole bundle again from a place that you trust.';
const DEVICES = ['default', 'node', 'wasm', 'webgpu'];
const PLACES: Record<AnswerMode, readonly string[]> = {
  auto: ['{image}'],
  style: ['{image}', '{instruction}'],
  param: ['{params}'],
};
const ALL_PLACES = ['{image}', '{params}', '{instruction}'];

/**
 * A file name inside a bundle: no folders, no climbing out, nothing hidden.
 * Throws BundleError BUNDLE_FILE_NAME otherwise. `where` says which entry holds it.
 */
export function checkFileName(name: string, where: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new BundleError(
    'BUNDLE_FILE_NAME',
    `${where} names the file ${JSON.stringify(name)}. A bundle is one flat folder: names are letters, digits, ".", "-" ` +
      'and "_", without folders. No file of that name was opened.',
    GET_AGAIN,
  );
}

/**
 * Checks a parsed bundle.json value by value.
 * Throws BundleError: BUNDLE_VERSION for a format this program does not know, BUNDLE_GRAPH_MISSING,
 * BUNDLE_FILE_NAME, and BUNDLE_MANIFEST naming the entry, what it is and what it must be.
 */
export function parseManifest(json: unknown): Manifest {
  const root = asObject(json, 'bundle.json');
  if (root['formatVersion'] !== 1) {
    throw new BundleError(
      'BUNDLE_VERSION',
      `bundle.json says formatVersion ${show(root['formatVersion'])}; this program reads version 1 only. Nothing was loaded.`,
      'Use a bundle made for this version, or a newer program.',
    );
  }
  const preprocess = asObject(root['preprocess'], 'preprocess');
  const tokenizer = asObject(root['tokenizer'], 'tokenizer');
  const prompts = asObject(root['prompts'], 'prompts');
  const answer = asObject(root['answer'], 'answer');
  if (root['latentStates'] !== 'predicting') {
    wrong('latentStates', root['latentStates'], '"predicting" (the state before each retouch token)');
  }
  checkParameterNames(root['parameters']);
  const retouchTokens = asArray(root['retouchTokens'], 'retouchTokens').map((token, i) =>
    asText(token, `retouchTokens[${i}]`),
  );
  if (retouchTokens.length !== 3) wrong('retouchTokens', retouchTokens, 'three tokens');
  const dimensions = parseDimensions(root['dimensions']);
  const focus = parseFocus(root['focus'], dimensions);
  return {
    name: asText(root['name'], 'name'),
    version: asText(root['version'], 'version'),
    licence: asText(root['licence'], 'licence'),
    dimensions,
    imageSize: parseSize(preprocess['image'], 'preprocess.image'),
    referenceSize: parseSize(preprocess['reference'], 'preprocess.reference'),
    graphs: parseGraphs(root['graphs'], focus !== undefined),
    tokenizerFile: asFile(tokenizer['tokenizer'], 'tokenizer.tokenizer'),
    tokenizerConfigFile: asFile(tokenizer['config'], 'tokenizer.config'),
    outputTokensFile: asFile(root['outputTokens'], 'outputTokens'),
    sectionTokensFile: root['sectionTokens'] === undefined ? undefined : asFile(root['sectionTokens'], 'sectionTokens'),
    prompts: byMode((mode) => parsePrompt(prompts[mode], mode)),
    answer: byMode((mode) => parseSections(answer[mode], `answer.${mode}`)),
    retouchTokens: retouchTokens as [string, string, string],
    maxInstructionTokens: asInteger(root['maxInstructionTokens'], 'maxInstructionTokens', 1, 4096),
    lutSize: asInteger(root['lutSize'], 'lutSize', 2, 129),
    focus,
  };
}

/** Factors are three; a photo's and the sliders' rows of them lie next to each other. */
function parseFocus(json: unknown, { imageTokens, paramTokens }: Dimensions): Manifest['focus'] {
  if (json === undefined) return undefined;
  const imageRow = asInteger(asObject(json, 'focus')['imageRow'], 'focus.imageRow', 0, imageTokens - 3);
  if (paramTokens !== 3) wrong('dimensions.paramTokens', paramTokens, '3 in a bundle with "focus"');
  return { imageRow };
}

function byMode<T>(make: (mode: AnswerMode) => T): Record<AnswerMode, T> {
  return { auto: make('auto'), style: make('style'), param: make('param') };
}

function parseDimensions(json: unknown): Dimensions {
  const raw = asObject(json, 'dimensions');
  const read = (key: keyof Dimensions, max: number) => asInteger(raw[key], `dimensions.${key}`, 1, max);
  const dimensions: Dimensions = {
    hidden: read('hidden', 65536),
    layers: read('layers', 1024),
    heads: read('heads', 1024),
    kvHeads: read('kvHeads', 1024),
    headDim: read('headDim', 4096),
    latent: read('latent', 65536),
    imageTokens: read('imageTokens', 65536),
    paramTokens: read('paramTokens', 4096),
    vocabulary: read('vocabulary', 4_000_000),
  };
  if (dimensions.heads % dimensions.kvHeads !== 0) {
    wrong('dimensions.kvHeads', dimensions.kvHeads, `a divisor of dimensions.heads (${dimensions.heads})`);
  }
  return dimensions;
}

function parseSize(json: unknown, where: string): number {
  return asInteger(asObject(json, where)['size'], `${where}.size`, 1, 4096);
}

function parseGraphs(json: unknown, withFocus: boolean): Record<GraphName, ReadonlyMap<string, string>> {
  const raw = asObject(json, 'graphs');
  const needed = withFocus ? [...GRAPH_NAMES, ...FOCUS_GRAPHS] : GRAPH_NAMES;
  const filesOf = (name: GraphName): ReadonlyMap<string, string> => {
    if (raw[name] === undefined) {
      throw new BundleError(
        'BUNDLE_GRAPH_MISSING',
        `bundle.json has no graph "${name}"; a bundle needs ${needed.join(', ')}. Nothing was loaded.`,
        GET_AGAIN,
      );
    }
    const files = new Map<string, string>();
    for (const [device, file] of Object.entries(asObject(raw[name], `graphs.${name}`))) {
      const where = `graphs.${name}.${device}`;
      if (!DEVICES.includes(device)) wrong(where, file, `keyed by one of ${DEVICES.join(', ')}`);
      files.set(device, asFile(file, where));
    }
    return files;
  };
  return {
    vision: filesOf('vision'),
    params: filesOf('params'),
    embed: filesOf('embed'),
    decoder: filesOf('decoder'),
    adaptor: filesOf('adaptor'),
    renderer: filesOf('renderer'),
    encoder: filesOf('encoder'),
    style: withFocus ? filesOf('style') : new Map(),
    effect: withFocus ? filesOf('effect') : new Map(),
  };
}

function parsePrompt(json: unknown, mode: AnswerMode): string {
  const prompt = asText(json, `prompts.${mode}`);
  for (const place of ALL_PLACES) {
    const count = prompt.split(place).length - 1;
    const expected = PLACES[mode].includes(place) ? 1 : 0;
    if (count !== expected) {
      wrong(`prompts.${mode}`, prompt, `a template with ${expected === 1 ? 'exactly one' : 'no'} ${place}`);
    }
  }
  return prompt;
}

function parseSections(json: unknown, where: string): Section[] {
  const sections = asArray(json, where).map((item, i): Section => {
    const at = `${where}[${i}]`;
    const raw = asObject(item, at);
    const field = FIELDS.find((name) => name === raw['field']);
    if (field === undefined) return wrong(`${at}.field`, raw['field'], `one of ${FIELDS.join(', ')}`);
    return {
      field,
      start: asText(raw['start'], `${at}.start`),
      end: asText(raw['end'], `${at}.end`),
      maxTokens: asInteger(raw['maxTokens'], `${at}.maxTokens`, 1, 4096),
    };
  });
  if (sections.length === 0) wrong(where, json, 'at least one section');
  if (new Set(sections.map((section) => section.field)).size !== sections.length) {
    wrong(where, json, 'a list that names each field once');
  }
  return sections;
}

function checkParameterNames(json: unknown): void {
  const names = asArray(json, 'parameters');
  const first = PARAMETER_NAMES.findIndex((name, i) => names[i] !== name);
  if (first >= 0) wrong(`parameters[${first}]`, names[first], `"${PARAMETER_NAMES[first]}"`);
  if (names.length !== PARAMETER_NAMES.length)
    wrong('parameters', names, `the ${PARAMETER_NAMES.length} parameter names`);
}

function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return wrong(where, value, 'an object');
}

function asArray(value: unknown, where: string): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : wrong(where, value, 'a list');
}

function asText(value: unknown, where: string): string {
  return typeof value === 'string' && value !== '' ? value : wrong(where, value, 'a text that is not empty');
}

function asInteger(value: unknown, where: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  return wrong(where, value, `a whole number from ${min} to ${max}`);
}

function asFile(value: unknown, where: string): string {
  return checkFileName(asText(value, where), `bundle.json, ${where},`);
}

function wrong(where: string, value: unknown, expected: string): never {
  throw new BundleError(
    'BUNDLE_MANIFEST',
    `bundle.json: ${where} is ${show(value)} but must be ${expected}. Nothing was loaded.`,
    'Get the bundle again, or export it anew if you made it yourself.',
  );
}

function show(value: unknown): string {
  // JSON.stringify gives undefined for what JSON cannot say, whatever its declared type.
  const text = (JSON.stringify(value) as string | undefined) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
