import { BundleError } from './errors';
import type { AnswerMode, Field, Manifest } from './manifest';
import { FACTORS } from './params';
import type { BundleTokenizer } from './tokenizer';

/** One section with its tokens as ids. */
export interface SectionIds {
  readonly field: Field;
  readonly start: number;
  readonly end: number;
  readonly maxTokens: number;
  /** 1 for every logit whose token may be written here: the section's text, and its end. Shared between sections. */
  readonly allowed: Uint8Array;
}

/** Ids that the skeleton gives before each section and, last, before the first retouch token: one list more than sections. */
export type Separators = readonly (readonly number[])[];

/** What the answers of a bundle may look like, with tokens as ids. */
export interface Skeleton {
  readonly sections: Readonly<Record<AnswerMode, readonly SectionIds[]>>;
  readonly separators: Readonly<Record<AnswerMode, Separators>>;
  readonly retouch: readonly number[];
  /** Do the retouch tokens stand before the words? */
  readonly latentsFirst: boolean;
  /** The tokens of the voices, by number. */
  readonly voices: readonly number[];
  /** The decoder's logit i is the score of token outputTokens[i]; of token i where absent. */
  readonly outputTokens?: Int32Array | undefined;
  /** How many scores the decoder gives. */
  readonly scores: number;
}

/**
 * Resolves the skeleton of bundle.json against the tokenizer, the list of output tokens and, where the bundle has them,
 * the tokens of each field. Throws BundleError BUNDLE_TOKENIZER or BUNDLE_MANIFEST when a token is unknown, an end token
 * can never be written, or a field is given tokens that are no text of this model.
 */
export function compileSkeleton(
  manifest: Manifest,
  tokenizer: BundleTokenizer,
  outputTokens: unknown,
  sectionTokens?: unknown,
): Skeleton {
  const outputs = readOutputs(outputTokens, manifest);
  const isText = Uint8Array.from({ length: outputs.count }, (_, i) => (tokenizer.isText(outputs.tokenAt(i)) ? 1 : 0));
  for (const { field, end } of Object.values(manifest.answer).flat()) {
    if (outputs.indexOf(tokenizer.addedTokenId(end)) < 0) {
      throw unusable(manifest.outputTokensFile ?? VOCABULARY, `lacks the token that ends the section "${field}"`);
    }
  }
  const texts = checkSectionTokens(sectionTokens, manifest, outputs, isText);
  // A mask is as long as the vocabulary: one for all sections of the same text and end.
  const masks = new Map<string, Uint8Array>();
  const maskOf = (field: Field, end: number): Uint8Array => {
    const key = `${texts ? field : ''} ${end}`;
    const known = masks.get(key);
    if (known) return known;
    const mask = (texts?.get(field) ?? isText).slice();
    mask[outputs.indexOf(end)] = 1;
    masks.set(key, mask);
    return mask;
  };
  const sections = (mode: AnswerMode): SectionIds[] =>
    manifest.answer[mode].map(({ field, start, end: endToken, maxTokens }) => {
      const end = tokenizer.addedTokenId(endToken);
      return { field, start: tokenizer.addedTokenId(start), end, maxTokens, allowed: maskOf(field, end) };
    });
  const separators = (mode: AnswerMode): Separators =>
    manifest.separators[mode].map((text) => tokenizer.encodeText(text));
  return {
    sections: { auto: sections('auto'), style: sections('style'), param: sections('param') },
    separators: { auto: separators('auto'), style: separators('style'), param: separators('param') },
    retouch: manifest.retouchTokens.map((token) => tokenizer.addedTokenId(token)),
    latentsFirst: manifest.latentsFirst,
    voices: manifest.voices.map((token) => tokenizer.addedTokenId(token)),
    outputTokens: outputs.list,
    scores: outputs.count,
  };
}

/** At a place of what is fed, one of the nine rows of focus: three problems, three plans, three latents. */
export interface Mark {
  readonly place: number;
  readonly row: number;
}

/** What to feed the model next. */
export interface Step {
  /** Ids to feed in one pass. All but a sampled first one are given by the skeleton. */
  readonly feed: readonly number[];
  /** Where rows of factors are added, in a bundle that has them. */
  readonly marks: readonly Mark[];
  /** The three places of `feed` whose states become the latents; empty where there are none among them. */
  readonly states: readonly number[];
  /** Did the pass complete the section that was open? */
  readonly closes: boolean;
  /** Is the answer complete? Then `feed` need only be fed for the sake of `states`. */
  readonly finished: boolean;
}

/** What is fed in one pass, and what is read from it. */
export type Fed = Pick<Step, 'feed' | 'marks' | 'states'>;

/**
 * The state machine of one answer: text inside a section is the model's, everything else is given. A section ends
 * when the model writes its end token or when it has maxTokens tokens of text.
 */
export class AnswerGrammar {
  private index = 0;
  private length = 0;

  constructor(
    private readonly sections: readonly SectionIds[],
    private readonly retouch: readonly number[],
    private readonly separators: Separators = [],
    private readonly latentsFirst = false,
  ) {}

  /**
   * The ids that follow the prompt in its own pass: the retouch tokens where the latents come first, the start token of the
   * first section and what stands before it.
   */
  begin(): Fed {
    if (!this.latentsFirst) return this.open([]);
    const { feed, marks } = this.open(this.retouch);
    return { feed, marks: [...latentMarks(0), ...marks], states: latentPlaces(0) };
  }

  /** The section that is being written. */
  get section(): SectionIds {
    return this.sections[this.index];
  }

  /** Takes the token that the model wrote (text, or the end of this section) and says what to feed. */
  accept(id: number): Step {
    const { end, maxTokens } = this.section;
    const text = id === end ? [] : [id];
    this.length += text.length;
    if (id !== end && this.length < maxTokens) return { feed: text, ...NOTHING, closes: false, finished: false };
    this.index++;
    this.length = 0;
    if (this.index < this.sections.length) return { ...this.open([...text, end]), closes: true, finished: false };
    if (this.latentsFirst) return { feed: [...text, end], ...NOTHING, closes: true, finished: true };
    const given = [...text, end, ...this.separator];
    // The state at a position predicts the next token: what ends the words predicts the first retouch token.
    const first = given.length - 1;
    return {
      ...{ feed: [...given, ...this.retouch.slice(0, 2)], marks: latentMarks(first), states: latentPlaces(first) },
      ...{ closes: true, finished: true },
    };
  }

  private get separator(): readonly number[] {
    return this.separators[this.index] ?? [];
  }

  /** Opens the section that comes next, after ids that end what was before. */
  private open(before: readonly number[]): Fed {
    const { start, field } = this.section;
    const given = [...before, ...this.separator];
    return { feed: [...given, start], marks: marksAt(given.length, field), states: [] };
  }
}

const PLAN_ROW = FACTORS.length;
const LATENT_ROW = 2 * FACTORS.length;

const NOTHING: Pick<Step, 'marks' | 'states'> = { marks: [], states: [] };

function latentPlaces(first: number): readonly number[] {
  return FACTORS.map((_, factor) => first + factor);
}

function latentMarks(first: number): readonly Mark[] {
  return FACTORS.map((_, factor) => ({ place: first + factor, row: LATENT_ROW + factor }));
}

function marksAt(place: number, field: Field): readonly Mark[] {
  const [kind, name] = field.split('.');
  const factor = FACTORS.findIndex((known) => known === name);
  return factor < 0 ? [] : [{ place, row: factor + (kind === 'plan' ? PLAN_ROW : 0) }];
}

/**
 * The best-scoring token that may be written now: text of the open section, or its end. Ties go to the first.
 * `logits` is [Vout]. Returns undefined when no allowed score is a number.
 */
export function pickToken(
  logits: Float32Array,
  { outputTokens }: Pick<Skeleton, 'outputTokens'>,
  { allowed }: Pick<SectionIds, 'allowed'>,
): number | undefined {
  let best = -1;
  let bestScore = -Infinity;
  for (let i = 0; i < allowed.length; i++) {
    // Few scores are better than the best so far: the mask is asked for those only.
    const score = logits[i];
    if (score > bestScore && allowed[i] === 1) {
      best = i;
      bestScore = score;
    }
  }
  return best < 0 ? undefined : (outputTokens?.[best] ?? best);
}

/** Which token each of the decoder's scores is for. */
interface Outputs {
  readonly count: number;
  readonly list: Int32Array | undefined;
  tokenAt(index: number): number;
  /** -1 for a token that the model cannot write. */
  indexOf(token: unknown): number;
}

const VOCABULARY = 'The vocabulary in bundle.json';

function readOutputs(json: unknown, manifest: Manifest): Outputs {
  const { outputTokensFile: file, dimensions } = manifest;
  if (file === undefined) {
    const count = dimensions.vocabulary;
    const isToken = (token: unknown): token is number =>
      typeof token === 'number' && Number.isInteger(token) && token >= 0 && token < count;
    return { count, list: undefined, tokenAt: (i) => i, indexOf: (token) => (isToken(token) ? token : -1) };
  }
  const list = checkOutputTokens(json, file, dimensions.vocabulary);
  const places = new Map<unknown, number>(Array.from(list, (token, i) => [token, i]));
  return { count: list.length, list, tokenAt: (i) => list[i], indexOf: (token) => places.get(token) ?? -1 };
}

function checkOutputTokens(json: unknown, file: string, vocabulary: number): Int32Array {
  if (!Array.isArray(json) || json.length === 0) throw unusable(file, 'is not a list of token ids');
  const bad = (json as unknown[]).find(
    (id) => !(typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary),
  );
  if (bad !== undefined) {
    throw unusable(file, `holds ${JSON.stringify(bad)}, which is no token id from 0 to ${vocabulary - 1}`);
  }
  if (new Set(json).size !== json.length) throw unusable(file, 'names a token twice');
  return Int32Array.from(json as number[]);
}

/** Field -> 1 for the logits of its tokens; undefined for a bundle in which every field may hold all text. */
function checkSectionTokens(
  json: unknown,
  { sectionTokensFile: file = '', answer }: Manifest,
  outputs: Outputs,
  isText: Uint8Array,
): ReadonlyMap<Field, Uint8Array> | undefined {
  if (json === undefined) return undefined;
  const lists = json as Readonly<Record<string, unknown>> | null;
  const fields = new Set(Object.values(answer).flatMap((sections) => sections.map(({ field }) => field)));
  const texts = new Map<Field, Uint8Array>();
  for (const field of fields) {
    const ids = lists?.[field];
    if (!Array.isArray(ids) || ids.length === 0) throw unusable(file, `has no list of tokens for "${field}"`);
    const allowed = new Uint8Array(outputs.count);
    for (const id of ids as unknown[]) {
      const index = outputs.indexOf(id);
      if (index < 0 || isText[index] !== 1) {
        throw unusable(file, `gives "${field}" ${JSON.stringify(id)}, which is no text token that the model can write`);
      }
      allowed[index] = 1;
    }
    texts.set(field, allowed);
  }
  return texts;
}

function unusable(file: string, what: string): BundleError {
  return new BundleError(
    'BUNDLE_MANIFEST',
    `${file} ${what}. Nothing was loaded.`,
    'Get the bundle again, or export it anew.',
  );
}
