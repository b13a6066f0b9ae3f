import type { Skeleton, SectionIds } from '../grammar';
import type { Field } from '../manifest';
import { FACTORS } from '../params';
import type { BundleTokenizer } from '../tokenizer';
import { measureChange, Pixels, type Change } from './change';
import { readingsOf } from './readings';
import type { Sayable } from './sayable';
import { planOfChange, planOfSliders, problemsOfChange } from './sayableOf';
import { wordsOf, type Wording } from './wording';

/** Every second pixel in both directions of the photo as the model sees it is measured. */
const STEP = 2;
/** No word is cut into more tokens. */
const LONGEST_WORD = 6;
/** Figures lie between 0 and this. */
const HIGHEST = 100;
/** Signs that stand behind a word without a blank. */
const SIGNS = ',;:.';
/** A word or sign with its blank. */
const WORD = / ?(?:[A-Za-z]+|\d+|[^\sA-Za-z\d])/g;

/** A way to read tokens: the text of whole words, and the words that the last, begun one may become. */
interface Reading {
  readonly whole: string;
  readonly words: ReadonlySet<string>;
}

/**
 * The words of a wording in the tokens that one section of a model's answers may hold, as its tokenizer cuts them: at the
 * beginning of the section with a capital, else with the blank before them; and the figures that may stand among them.
 */
class Words {
  private readonly begun = new Map<string, Set<string>>();
  private readonly pieces = new Map<number, string>();
  private readonly known = new Set<string>();
  private readonly cuts = new Map<string, readonly number[]>();
  /** Text -> can it be written? */
  private readonly written = new Map<string, boolean>();

  constructor(
    words: ReadonlySet<string>,
    private readonly tokenizer: BundleTokenizer,
    private readonly mayHold: (token: number) => boolean,
  ) {
    for (const word of words) {
      if (SIGNS.includes(word)) this.add(word);
      else for (const text of [` ${word}`, word[0].toUpperCase() + word.slice(1)]) this.add(text);
    }
    for (let number = 0; number <= HIGHEST; number++) this.add(` ${number}`);
  }

  /** What of it the section's tokens can write. */
  keep(sayable: Sayable): Sayable {
    return sayable.only(
      (text) => this.writes(text[0].toUpperCase() + text.slice(1)),
      (text) => this.writes(` ${text}`),
    );
  }

  textOf(tokens: readonly number[]): string {
    return tokens.map((token) => this.pieceOf(token)).join('');
  }

  /** Empty where the tokens are no words of the wording, or otherwise cut. */
  readings(tokens: readonly number[]): Reading[] {
    const found: Reading[] = [];
    for (let first = Math.max(0, tokens.length - LONGEST_WORD); first < tokens.length; first++) {
      const words = this.begun.get(tokens.slice(first).join());
      if (words) found.push({ whole: this.textOf(tokens.slice(0, first)), words });
    }
    return found;
  }

  /** The tokens of a text that follows `tokens`, as the tokenizer cuts its words; fewer where the word begun is cut otherwise. */
  cut(tokens: readonly number[], text: string): number[] {
    const before = this.textOf(tokens);
    const found: number[] = [];
    let rest = before === '' ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
    const [ending] = /^[A-Za-z0-9]*/.exec(rest)!;
    if (before !== '' && ending !== '') {
      const [begun] = / ?[A-Za-z0-9]*$/.exec(before)!;
      const ids = this.tokensOf(begun + ending);
      const written = ids.findIndex((_, i) => this.textOf(ids.slice(0, i)) === begun);
      if (written < 0 || ids.slice(0, written).join() !== tokens.slice(tokens.length - written).join()) return [];
      found.push(...ids.slice(written));
      rest = rest.slice(ending.length);
    }
    for (const word of rest.match(WORD) ?? []) {
      if (!this.known.has(word)) break;
      found.push(...this.tokensOf(word));
    }
    return found;
  }

  private tokensOf(word: string): readonly number[] {
    let ids = this.cuts.get(word);
    if (!ids) this.cuts.set(word, (ids = this.tokenizer.encodeText(word)));
    return ids;
  }

  private writes(text: string): boolean {
    let can = this.written.get(text);
    if (can === undefined) {
      can = (text.match(WORD) ?? []).every((word) => this.known.has(word));
      this.written.set(text, can);
    }
    return can;
  }

  private add(text: string): void {
    const ids = this.tokensOf(text);
    if (!ids.every(this.mayHold)) return;
    this.known.add(text);
    for (let length = 1; length <= ids.length; length++) {
      const key = ids.slice(0, length).join();
      const known = this.begun.get(key);
      if (known) known.add(text);
      else this.begun.set(key, new Set([text]));
    }
  }

  private pieceOf(token: number): string {
    let piece = this.pieces.get(token);
    if (piece === undefined) this.pieces.set(token, (piece = this.tokenizer.decode([token])));
    return piece;
  }
}

/** Keeps the words of one answer to what is true of its picture, token by token. */
export class AnswerGuide {
  /** Tokens of the open section. */
  private tokens: number[] = [];
  /** Tokens that must follow. */
  private ahead: number[] = [];
  private readonly sayable: Map<Field, Sayable>;

  /** What each field may say; of key elements the list ends where another is not sure. */
  constructor(
    private readonly words: ReadonlyMap<Field, Words>,
    sayable: ReadonlyMap<Field, Sayable>,
    private readonly namesMargin: number,
  ) {
    this.sayable = new Map([...sayable].map(([field, one]) => [field, words.get(field)?.keep(one) ?? one]));
  }

  /**
   * The best-scoring token that keeps the open section to what may be said; undefined where nothing is guided: a free field, or a
   * model that lacks the words for it. `logits` [Vout].
   */
  pick(logits: Float32Array, skeleton: Pick<Skeleton, 'outputTokens'>, section: SectionIds): number | undefined {
    if (section.field === 'elements') return this.endOfNames(logits, skeleton, section);
    const { outputTokens } = skeleton;
    const sayable = this.sayable.get(section.field);
    const known = this.words.get(section.field);
    if (!sayable || !known) return undefined;
    const good = (token: number): boolean =>
      token === section.end
        ? sayable.complete(known.textOf(this.tokens))
        : known
            .readings([...this.tokens, token])
            .some(({ whole, words }) => [...words].some((word) => sayable.goesOn(whole + word)));
    const tried = new Set<number>();
    for (;;) {
      const best = bestOf(logits, section, tried);
      if (best < 0) return undefined;
      const token = outputTokens?.[best] ?? best;
      if (good(token)) return token;
      tried.add(best);
    }
  }

  /**
   * The token that follows whatever the scores are, so that it can be fed with the one before it; undefined where the model has
   * a choice.
   */
  forced({ field, end }: SectionIds): number | undefined {
    const known = this.words.get(field);
    if (this.ahead.length === 0 && known) {
      const rest = this.sayable.get(field)?.forced(known.textOf(this.tokens));
      if (rest?.text) this.ahead = known.cut(this.tokens, rest.text);
      else if (rest?.ends) this.ahead = [end];
    }
    return this.ahead[0];
  }

  /** The end of the list of key elements, where the model would rather go on but is not sure; else undefined. */
  private endOfNames(
    logits: Float32Array,
    { outputTokens }: Pick<Skeleton, 'outputTokens'>,
    section: SectionIds,
  ): number | undefined {
    const best = bestOf(logits, section);
    if (best < 0) return undefined;
    if (this.words.get('plan.light')?.textOf([outputTokens?.[best] ?? best]) !== ',') return undefined;
    const end = outputTokens ? outputTokens.indexOf(section.end) : section.end;
    return logits[best] - logits[end] < this.namesMargin ? section.end : undefined;
  }

  /** A token was taken; `text`: that of the section where this completes it. A plan begins with what answers the problem named. */
  accept(token: number, { field, end }: SectionIds, text: string | undefined): void {
    this.ahead = this.ahead[0] === token ? this.ahead.slice(1) : [];
    if (token !== end) this.tokens.push(token);
    if (text === undefined) return;
    [this.tokens, this.ahead] = [[], []];
    const problems = field.startsWith('problems.') ? this.sayable.get(field) : undefined;
    const planField = field.replace('problems.', 'plan.') as Field;
    const plan = problems && this.sayable.get(planField);
    if (plan) this.sayable.set(planField, plan.startingWith(problems.axesIn(text)));
  }
}

/** Index of the best score of what a section may hold, but for those tried; -1 where none is a number. */
function bestOf(logits: Float32Array, { allowed }: SectionIds, tried?: ReadonlySet<number>): number {
  let best = -1;
  for (let i = 0; i < allowed.length; i++) {
    if (allowed[i] !== 1 || tried?.has(i) === true) continue;
    if (best < 0 ? logits[i] > -Infinity : logits[i] > logits[best]) best = i;
  }
  return best;
}

/** Renders colours [N, 3] with an answer's latents. */
export type RenderColours = (colours: Float32Array) => Promise<Float32Array>;

/** Makes the guide of each answer of a bundle with a wording. */
export class Grounding {
  private readonly words: ReadonlyMap<Field, Words>;

  constructor(
    private readonly wording: Wording,
    tokenizer: BundleTokenizer,
    { sections, outputTokens }: Pick<Skeleton, 'sections' | 'outputTokens'>,
  ) {
    const all = wordsOf(wording);
    const guided = Object.values(sections)
      .flat()
      .filter(({ field }) => field !== 'elements');
    this.words = new Map(
      guided.map(({ field, allowed }): [Field, Words] => {
        const tokens = new Set(Array.from(allowed.keys(), (i) => (allowed[i] === 1 ? (outputTokens?.[i] ?? i) : -1)));
        return [field, new Words(all, tokenizer, (token) => tokens.has(token))];
      }),
    );
  }

  /** `pixels` [3, size, size] in [0, 1]: the photo as the model sees it. */
  async ofPhoto(mode: 'auto' | 'style', pixels: Float32Array, render: RenderColours): Promise<AnswerGuide> {
    const before = thinned(pixels);
    const [photo, change] = [readingsOf(before.pixels), await this.change(before, render)];
    const sayable = new Map<Field, Sayable>();
    for (const factor of FACTORS) {
      sayable.set(`problems.${factor}`, problemsOfChange(this.wording, change, photo, factor, mode));
      sayable.set(`plan.${factor}`, planOfChange(this.wording, change, factor));
    }
    return new AnswerGuide(this.words, sayable, this.wording.namesMargin);
  }

  /** `values`: 38 in [-1, 1]; the photo that they are meant for, where there is one, as in `ofPhoto`. */
  async ofSliders(
    values: ArrayLike<number>,
    pixels: Float32Array | undefined,
    render: RenderColours,
  ): Promise<AnswerGuide> {
    const change = pixels && (await this.change(thinned(pixels), render));
    const plans = FACTORS.map((factor): [Field, Sayable] => [
      `plan.${factor}`,
      planOfSliders(this.wording, values, factor, change),
    ]);
    return new AnswerGuide(this.words, new Map(plans), this.wording.namesMargin);
  }

  private async change({ colours, pixels }: Thinned, render: RenderColours): Promise<Change> {
    return measureChange(pixels, new Pixels(await render(colours)), this.wording.leastShare[0]);
  }
}

interface Thinned {
  /** [N, 3]. */
  readonly colours: Float32Array;
  readonly pixels: Pixels;
}

/** Every STEP-th pixel of planes [3, size, size]. */
function thinned(pixels: Float32Array): Thinned {
  const plane = pixels.length / 3;
  const size = Math.round(Math.sqrt(plane));
  const across = Math.ceil(size / STEP);
  const colours = new Float32Array(3 * across * across);
  let at = 0;
  for (let y = 0; y < size; y += STEP) {
    for (let x = 0; x < size; x += STEP) {
      for (let channel = 0; channel < 3; channel++) colours[at++] = pixels[channel * plane + y * size + x];
    }
  }
  return { colours, pixels: new Pixels(colours) };
}
