import { BundleError } from './errors';
import {
  parsePhotoInput,
  parseReferenceInput,
  parseVersion2,
  withoutVersion2,
  type PhotoInput,
  type ReferenceInput,
  type Version2,
} from './manifest2';
import {
  asArray,
  asFile,
  asInteger,
  asObject,
  asText,
  checkTexts,
  missingGraph,
  MOST_TEXT,
  type Raw,
  show,
  wrong,
} from './manifestChecks';
import { checkCacheSize, checkSections } from './manifestSizes';
import { PARAMETER_NAMES } from './params';
import { VOICE_GRID } from './voices';

/** The graphs of a bundle: "style" and "effect" come with `focus`, version 2 may lack those that are optional. */
export const GRAPH_NAMES = ['vision', 'params', 'embed', 'decoder', 'adaptor', 'renderer', 'encoder'] as const;
export const FOCUS_GRAPHS = ['style', 'effect'] as const;
const OPTIONAL_GRAPHS: readonly string[] = ['params', 'encoder'];
export type GraphName = (typeof GRAPH_NAMES | typeof FOCUS_GRAPHS)[number];

/** Modes in which the language model answers. (Reference mode uses the encoder only.) */
export const ANSWER_MODES = ['auto', 'style', 'param'] as const;
export type AnswerMode = (typeof ANSWER_MODES)[number];
export type Mode = AnswerMode | 'reference';

/** Where a file of a graph, or a need of memory, belongs; "webgpu-f16" is WebGPU where shaders compute in half precision. */
export type DeviceKey = 'default' | 'node' | 'wasm' | 'webgpu' | 'webgpu-f16';

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
  /** Rows that a photo, and the 38 parameters, take in a prompt; 0 of the latter in a bundle without the graph "params". */
  readonly imageTokens: number;
  readonly paramTokens: number;
  readonly vocabulary: number;
}

/** bundle.json of format version 1 or 2, checked; what version 1 lacks has its default. */
export interface Manifest extends Version2 {
  readonly formatVersion: 1 | 2;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly dimensions: Dimensions;
  readonly photoInput: PhotoInput;
  /** Absent where there is no encoder. */
  readonly referenceInput?: ReferenceInput | undefined;
  /** Graph -> device -> file; the device "default" serves those not named. Empty for a graph that the bundle lacks. */
  readonly graphs: Readonly<Record<GraphName, ReadonlyMap<string, string>>>;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  /** Absent where the decoder scores all of the vocabulary: logit i is token i. */
  readonly outputTokensFile?: string | undefined;
  /** Present when each field of an answer has tokens of its own; else every field may hold all text. */
  readonly sectionTokensFile?: string | undefined;
  /** Present when answers are kept to what is true of the picture (`grounding/`). Only where the latents come first. */
  readonly wordingFile?: string | undefined;
  readonly prompts: Readonly<Record<AnswerMode, string>>;
  readonly answer: Readonly<Record<AnswerMode, readonly Section[]>>;
  /** Tokens whose states become the latents of light, global colour and specific colour. */
  readonly retouchTokens: readonly [string, string, string];
  /**
   * Does an answer begin with the retouch tokens, whose own states become the latents? Else they stand behind the words, and
   * the states that predict them become the latents.
   */
  readonly latentsFirst: boolean;
  /** Tokens of which one stands where a prompt says {voice}: ways of wording an answer. Empty in a bundle without. */
  readonly voices: readonly string[];
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

const MOST_VOICES = 1024;
const DEVICES = ['default', 'node', 'wasm', 'webgpu'];
const ALL_PLACES = ['{image}', '{params}', '{instruction}', '{parameters}', '{voice}'];

/**
 * Checks a parsed bundle.json value by value.
 * Throws BundleError: BUNDLE_VERSION for a format this program does not know, BUNDLE_GRAPH_MISSING,
 * BUNDLE_FILE_NAME, and BUNDLE_MANIFEST naming the entry, what it is and what it must be.
 */
export function parseManifest(json: unknown): Manifest {
  const root = asObject(json, 'bundle.json');
  const version = parseFormatVersion(root['formatVersion']);
  checkTexts(root);
  const preprocess = asObject(root['preprocess'], 'preprocess');
  const tokenizer = asObject(root['tokenizer'], 'tokenizer');
  const prompts = asObject(root['prompts'], 'prompts');
  const answers = asObject(root['answer'], 'answer');
  const latentsFirst = parseLatentStates(root);
  checkParameterNames(root['parameters']);
  const retouchTokens = asArray(root['retouchTokens'], 'retouchTokens').map((token, i) =>
    asText(token, `retouchTokens[${i}]`),
  );
  if (retouchTokens.length !== 3) wrong('retouchTokens', retouchTokens, 'three tokens');
  const graphs = parseGraphs(root['graphs'], version, root['focus'] !== undefined);
  const hasParams = version === 1 || graphs.params.size > 0;
  const dimensions = parseDimensions(root['dimensions'], hasParams);
  const answer = byMode((mode) => parseSections(answers[mode], `answer.${mode}`));
  const newer = version === 1 ? withoutVersion2(root, answer) : parseVersion2(root, answer);
  checkParameterText(newer.parameterText, hasParams);
  checkCacheSize(newer.cache, dimensions);
  const photoInput = parsePhotoInput(preprocess['image'], version);
  const voices = parseVoices(root['voices'], photoInput);
  const { reference } = preprocess;
  const file = (name: string) => (root[name] === undefined ? undefined : asFile(root[name], name));
  return {
    ...newer,
    formatVersion: version,
    name: asText(root['name'], 'name'),
    version: asText(root['version'], 'version'),
    licence: asText(root['licence'], 'licence'),
    dimensions,
    photoInput,
    referenceInput:
      graphs.encoder.size === 0 && reference === undefined ? undefined : parseReferenceInput(reference, version),
    graphs,
    tokenizerFile: asFile(tokenizer['tokenizer'], 'tokenizer.tokenizer'),
    tokenizerConfigFile: asFile(tokenizer['config'], 'tokenizer.config'),
    outputTokensFile: version === 1 ? asFile(root['outputTokens'], 'outputTokens') : file('outputTokens'),
    sectionTokensFile: file('sectionTokens'),
    wordingFile: parseWordingFile(root, latentsFirst),
    prompts: byMode((mode) => parsePrompt(prompts[mode], mode, placesOf(mode, newer, voices))),
    answer,
    retouchTokens: retouchTokens as [string, string, string],
    latentsFirst,
    voices,
    maxInstructionTokens: asInteger(root['maxInstructionTokens'], 'maxInstructionTokens', 1, 4096),
    lutSize: asInteger(root['lutSize'], 'lutSize', 2, 129),
    focus: parseFocus(root['focus'], dimensions),
  };
}

function parseFormatVersion(version: unknown): 1 | 2 {
  if (version === 1 || version === 2) return version;
  throw new BundleError(
    'BUNDLE_VERSION',
    `bundle.json says formatVersion ${show(version)}; this program reads versions 1 and 2 only. Nothing was loaded.`,
    'Use a bundle made for this version, or a newer program.',
  );
}

function parseLatentStates({ latentStates, separators }: Raw): boolean {
  if (latentStates === 'predicting') return false;
  if (latentStates !== 'first') {
    wrong(
      'latentStates',
      latentStates,
      '"predicting" (the state before each retouch token) or "first" (the states of the retouch tokens, before the words)',
    );
  }
  if (separators !== undefined) wrong('separators', separators, 'absent where "latentStates" is "first"');
  return true;
}

/** What a picture shows is known before the words only where it comes before them. */
function parseWordingFile({ wording }: Raw, latentsFirst: boolean): string | undefined {
  if (wording === undefined) return undefined;
  if (!latentsFirst) wrong('wording', wording, 'absent where "latentStates" is not "first"');
  return asFile(wording, 'wording');
}

/** Which voice follows from a grid of the photo, which must be there. */
function parseVoices(json: unknown, { size }: PhotoInput): readonly string[] {
  if (json === undefined) return [];
  const list = asArray(json, 'voices');
  if (list.length > MOST_VOICES) wrong('voices', json, `a list of at most ${MOST_VOICES} tokens`);
  const voices = list.map((token, i) => asText(token, `voices[${i}]`));
  if (voices.length === 0 || new Set(voices).size !== voices.length)
    wrong('voices', json, 'different tokens, or absent');
  if (size < VOICE_GRID) wrong('preprocess.image.size', size, `${VOICE_GRID} or more in a bundle with "voices"`);
  return voices;
}

/** Parameters reach the model either as rows of the graph "params" or as text. */
function checkParameterText(parameterText: unknown, hasGraph: boolean): void {
  if (!hasGraph && parameterText === undefined) {
    wrong('parameterText', parameterText, '"python-dict" in a bundle without the graph "params"');
  }
  if (hasGraph && parameterText !== undefined) {
    wrong('parameterText', parameterText, 'absent in a bundle with the graph "params"');
  }
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

function parseDimensions(json: unknown, hasParams: boolean): Dimensions {
  const raw = asObject(json, 'dimensions');
  // Several times those of the largest open models; that they are the graphs' own is checked when those are loaded.
  const read = (key: keyof Dimensions, max: number) => asInteger(raw[key], `dimensions.${key}`, 1, max);
  const dimensions: Dimensions = {
    hidden: read('hidden', 32768),
    layers: read('layers', 256),
    heads: read('heads', 512),
    kvHeads: read('kvHeads', 512),
    headDim: read('headDim', 1024),
    latent: read('latent', 16384),
    imageTokens: read('imageTokens', 16384),
    paramTokens: hasParams ? read('paramTokens', 1024) : 0,
    vocabulary: read('vocabulary', 1_000_000),
  };
  if (!hasParams && raw['paramTokens'] !== undefined) {
    wrong('dimensions.paramTokens', raw['paramTokens'], 'absent in a bundle without the graph "params"');
  }
  if (dimensions.heads % dimensions.kvHeads !== 0) {
    wrong('dimensions.kvHeads', dimensions.kvHeads, `a divisor of dimensions.heads (${dimensions.heads})`);
  }
  return dimensions;
}

function parseGraphs(
  json: unknown,
  version: 1 | 2,
  withFocus: boolean,
): Record<GraphName, ReadonlyMap<string, string>> {
  const raw = asObject(json, 'graphs');
  const optional = version === 1 ? [] : OPTIONAL_GRAPHS;
  const needed = [...GRAPH_NAMES, ...(withFocus ? FOCUS_GRAPHS : [])].filter((name) => !optional.includes(name));
  const filesOf = (name: GraphName): ReadonlyMap<string, string> => {
    if (raw[name] !== undefined) return parseGraphFiles(asObject(raw[name], `graphs.${name}`), name, version);
    if (optional.includes(name)) return new Map();
    throw missingGraph(name, needed);
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

function parseGraphFiles(raw: Raw, name: GraphName, version: 1 | 2): ReadonlyMap<string, string> {
  const devices = version === 1 ? DEVICES : [...DEVICES, 'webgpu-f16'];
  const files = new Map<string, string>();
  for (const [device, file] of Object.entries(raw)) {
    const where = `graphs.${name}.${device}`;
    if (!devices.includes(device)) wrong(where, file, `keyed by one of ${devices.join(', ')}`);
    files.set(device, asFile(file, where));
  }
  // A graph that may be lacking lacks all of its files, or none.
  if (version === 2 && files.size === 0) wrong(`graphs.${name}`, raw, 'an object that names at least one file');
  return files;
}

function placesOf(
  mode: AnswerMode,
  { parameterText }: Pick<Version2, 'parameterText'>,
  voices: readonly string[],
): readonly string[] {
  const voice = voices.length > 0 ? ['{voice}'] : [];
  switch (mode) {
    case 'auto':
      return ['{image}', ...voice];
    case 'style':
      return ['{image}', '{instruction}', ...voice];
    case 'param':
      return [parameterText === undefined ? '{params}' : '{parameters}', ...voice];
  }
}

function parsePrompt(json: unknown, mode: AnswerMode, places: readonly string[]): string {
  const prompt = asText(json, `prompts.${mode}`, MOST_TEXT);
  for (const place of ALL_PLACES) {
    const count = prompt.split(place).length - 1;
    const expected = places.includes(place) ? 1 : 0;
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
  checkSections(sections, json, where);
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
