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
}

/** What the answers of a bundle may look like, with tokens as ids. */
export interface Skeleton {
  readonly sections: Readonly<Record<AnswerMode, readonly SectionIds[]>>;
  readonly retouch: readonly number[];
  /** The decoder's logit i is the score of token outputTokens[i]. */
  readonly outputTokens: Int32Array;
  /** 1 for the logits of tokens that may stand in a text, 0 for those of special ones. */
  readonly isText: Uint8Array;
  /** Token id -> index of its logit, for tokens that end a section. */
  readonly endIndex: ReadonlyMap<number, number>;
}

/**
 * Resolves the skeleton of bundle.json against the tokenizer and the list of output tokens.
 * Throws BundleError BUNDLE_TOKENIZER or BUNDLE_MANIFEST when a token is unknown or an end token can never be written.
 */
export function compileSkeleton(manifest: Manifest, tokenizer: BundleTokenizer, outputTokens: unknown): Skeleton {
  const outputs = checkOutputTokens(outputTokens, manifest);
  const sections = (mode: AnswerMode): SectionIds[] =>
    manifest.answer[mode].map(({ field, start, end, maxTokens }) => ({
      field,
      start: tokenizer.addedTokenId(start),
      end: tokenizer.addedTokenId(end),
      maxTokens,
    }));
  const byMode = { auto: sections('auto'), style: sections('style'), param: sections('param') };
  const endIndex = new Map<number, number>();
  for (const section of Object.values(byMode).flat()) {
    const index = outputs.indexOf(section.end);
    if (index < 0) {
      throw unusable(manifest.outputTokensFile, `lacks the token that ends the section "${section.field}"`);
    }
    endIndex.set(section.end, index);
  }
  return {
    sections: byMode,
    retouch: manifest.retouchTokens.map((token) => tokenizer.addedTokenId(token)),
    outputTokens: outputs,
    isText: Uint8Array.from(outputs, (id) => (tokenizer.isText(id) ? 1 : 0)),
    endIndex,
  };
}

/** At a place of what is fed, the row of a factor: the photo's own, or that of what is planned. */
export interface Mark {
  readonly place: number;
  readonly of: 'image' | 'plan';
  readonly factor: number;
}

/** What to feed the model next. */
export interface Step {
  /** Ids to feed in one pass. All but a sampled first one are given by the skeleton. */
  readonly feed: readonly number[];
  /** Where rows of factors are added, in a bundle that has them. */
  readonly marks: readonly Mark[];
  /** Did the pass complete the section that was open? */
  readonly closes: boolean;
  /** Is the answer complete? Then the states at the last three fed positions predict the three retouch tokens. */
  readonly finished: boolean;
}

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
  ) {}

  /** The ids that follow the prompt in its own pass: the start token of the first section. */
  begin(): Pick<Step, 'feed' | 'marks'> {
    return { feed: [this.section.start], marks: marksAt(0, this.section.field) };
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
    if (id !== end && this.length < maxTokens) return { feed: text, marks: [], closes: false, finished: false };
    this.index++;
    this.length = 0;
    const given = [...text, end];
    if (this.index < this.sections.length) {
      const { start, field } = this.section;
      return { feed: [...given, start], marks: marksAt(given.length, field), closes: true, finished: false };
    }
    const first = given.length - 1;
    const marks = FACTORS.map((_, factor): Mark => ({ place: first + factor, of: 'plan', factor }));
    return { feed: [...given, ...this.retouch.slice(0, 2)], marks, closes: true, finished: true };
  }
}

/** A problem begins with what the photo is, a plan with what is planned. */
function marksAt(place: number, field: Field): readonly Mark[] {
  const [kind, name] = field.split('.');
  const factor = FACTORS.findIndex((known) => known === name);
  return factor < 0 ? [] : [{ place, of: kind === 'plan' ? 'plan' : 'image', factor }];
}

/**
 * The best-scoring token that may be written now: text, or the end of the open section. Ties go to the first.
 * `logits` is [Vout]. Returns undefined when no allowed score is a number.
 */
export function pickToken(logits: Float32Array, skeleton: Skeleton, end: number): number | undefined {
  const { isText, outputTokens } = skeleton;
  const endIndex = skeleton.endIndex.get(end);
  let best = -1;
  let bestScore = -Infinity;
  for (let i = 0; i < isText.length; i++) {
    if ((isText[i] === 1 || i === endIndex) && logits[i] > bestScore) {
      best = i;
      bestScore = logits[i]!;
    }
  }
  return best < 0 ? undefined : outputTokens[best];
}

function checkOutputTokens(json: unknown, manifest: Manifest): Int32Array {
  const file = manifest.outputTokensFile;
  if (!Array.isArray(json) || json.length === 0) throw unusable(file, 'is not a list of token ids');
  const { vocabulary } = manifest.dimensions;
  const bad = (json as unknown[]).find(
    (id) => !(typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary),
  );
  if (bad !== undefined) {
    throw unusable(file, `holds ${JSON.stringify(bad)}, which is no token id from 0 to ${vocabulary - 1}`);
  }
  if (new Set(json).size !== json.length) throw unusable(file, 'names a token twice');
  return Int32Array.from(json as number[]);
}

function unusable(file: string, what: string): BundleError {
  return new BundleError(
    'BUNDLE_MANIFEST',
    `${file} ${what}. Nothing was loaded.`,
    'Get the bundle again, or export it anew.',
  );
}
