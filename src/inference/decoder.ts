import type { Backend, CacheType, Session, Tensor } from './backend';
import { InferenceError, throwIfCancelled } from './errors';
import {
  AnswerGrammar,
  pickToken,
  type Fed,
  type SectionIds,
  type Separators,
  type Skeleton,
  type Step,
} from './grammar';
import { cacheNames } from './graphShapes';
import type { AnswerGuide } from './grounding/guide';
import type { Dimensions, Field } from './manifest';
import type { PromptPiece } from './prompt';
import { TextStream, type BundleTokenizer } from './tokenizer';

/** A bit of reasoning as it is written. The texts of one field, joined, are that field's text. */
export interface TextEvent {
  readonly field: Field;
  /** What is new since the last event of this field; may be empty when `done`. */
  readonly text: string;
  /** Is the field complete with this event? */
  readonly done: boolean;
}

export interface DecoderParts {
  readonly backend: Backend;
  readonly embed: Session;
  readonly decoder: Session;
  readonly tokenizer: BundleTokenizer;
  readonly skeleton: Skeleton;
  readonly dimensions: Dimensions;
  /** A cache of one size from the first run on, in a bundle that has one; else it grows with what is fed. */
  readonly cache?: { readonly positions: number; readonly type: CacheType } | undefined;
}

export interface DecodeRequest {
  readonly sections: readonly SectionIds[];
  readonly separators?: Separators | undefined;
  readonly prompt: readonly PromptPiece[];
  /** Rows [n, hidden] to put at the prompt's places. */
  readonly rows: Readonly<Partial<Record<'image' | 'params', Float32Array>>>;
  /** Rows [9, hidden], added where the answer turns to each factor (see `focus.ts`); absent in a bundle without them. */
  readonly focus?: Float32Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onText?: ((event: TextEvent) => void) | undefined;
  /** The answer's ids, taken instead of the best-scoring ones. */
  readonly words?: readonly number[] | undefined;
  /** Makes latents of the states [3 * hidden] of light, global colour, specific colour: called once, as soon as they are known. */
  readonly readLatents: (states: Float32Array) => Promise<Float32Array>;
  /** What the words may say, made once the latents are known, where they come first and words follow. */
  readonly guideOf?: ((latents: Float32Array) => Promise<AnswerGuide>) | undefined;
  /** Is nothing written once the latents are known? Only where they come first. */
  readonly wordless?: boolean | undefined;
}

export interface Answer {
  readonly texts: ReadonlyMap<Field, string>;
  /**
   * Every id after the prompt in order, written or given, without a third retouch token at the end; none in an answer without
   * words.
   */
  readonly tokenIds: readonly number[];
  /** With `words`: the share of them that the model would have chosen, of those that it may choose. */
  readonly agreed?: number | undefined;
  /** What `readLatents` made. */
  readonly latents: Float32Array;
  /** From the start until the latents were there. */
  readonly pictureMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/**
 * Writes one answer, greedily: the prompt in one pass, then token by token inside the sections of the skeleton;
 * tokens that the skeleton or the guide gives are fed together with the one before them, in the same pass.
 *
 * Throws CancelledError between two runs of a graph when the signal has fired, InferenceError when the model's scores are no
 * numbers or a static cache has no place left. Whatever happens, the key-value cache is released.
 */
export async function decodeAnswer(parts: DecoderParts, request: DecodeRequest): Promise<Answer> {
  const { skeleton, tokenizer } = parts;
  const { signal, onText } = request;
  const { retouch, latentsFirst } = skeleton;
  const grammar = new AnswerGrammar(request.sections, retouch, request.separators, latentsFirst);
  const wordless = latentsFirst && request.wordless === true;
  const texts = new Map<Field, string>();
  const cache = new CachedDecoder(parts, request.focus, signal);
  const started = performance.now();
  try {
    const opening = grammar.begin();
    const tokenIds = [...opening.feed];
    let read = await cache.feedPrompt(request.prompt, request.rows, opening, !wordless);
    const prefilled = performance.now();
    let latents = read.states && (await request.readLatents(read.states));
    let pictureMs = performance.now() - started;
    let [chosen, same] = [0, 0];
    const answer = (ids: readonly number[], made: Float32Array): Answer => {
      const decodeMs = performance.now() - prefilled;
      const agreed = request.words && same / chosen;
      return { texts, agreed, tokenIds: ids, latents: made, pictureMs, prefillMs: prefilled - started, decodeMs };
    };
    if (latents && wordless) return answer([], latents);
    const guide = latents && (await request.guideOf?.(latents));
    let stream = new TextStream(tokenizer);
    const write = (id: number): Step => {
      const { section } = grammar;
      const { field, end } = section;
      const step = grammar.accept(id);
      tokenIds.push(...step.feed);
      const text = id === end ? '' : stream.push(id);
      guide?.accept(id, section, step.closes ? stream.text : undefined);
      if (text !== '' || step.closes) onText?.({ field, text, done: step.closes });
      if (step.closes) {
        texts.set(field, stream.text);
        stream = new TextStream(tokenizer);
      }
      return step;
    };
    for (;;) {
      const { section } = grammar;
      const own = guide?.pick(read.logits, skeleton, section) ?? pickToken(read.logits, skeleton, section);
      const id = request.words ? request.words[tokenIds.length] : own;
      chosen++;
      if (id === own) same++;
      if (id === undefined) throw request.words ? noAnswer() : noScores(section.field);
      let step = write(id);
      while (!step.closes) {
        const next = guide?.forced(section);
        if (next === undefined) break;
        throwIfCancelled(signal);
        step = joined(step, write(next));
      }
      if (step.finished) {
        if (request.words && request.words.join() !== tokenIds.join()) throw noAnswer();
        if (!latents) {
          const { states } = await cache.feed(step, false);
          latents = await request.readLatents(states!);
          pictureMs = performance.now() - started;
        }
        return answer(tokenIds, latents);
      }
      read = await cache.feed(step);
    }
  } finally {
    cache.dispose();
  }
}

/** Two steps of which the second does not hang on what the first gives, in one pass. */
function joined(first: Step, second: Step): Step {
  const before = first.feed.length;
  return {
    feed: [...first.feed, ...second.feed],
    marks: [...first.marks, ...second.marks.map(({ place, row }) => ({ place: place + before, row }))],
    states: [...first.states, ...second.states.map((place) => place + before)],
    closes: second.closes,
    finished: second.finished,
  };
}

/**
 * From 32 rows on onnxruntime's attention on WebGPU takes another way, by subgroups, which gives wrong numbers on some
 * adapters (SwiftShader with onnxruntime-web 1.30; others before, https://github.com/microsoft/onnxruntime/pull/28520). A
 * prompt is fed in parts below that: each costs as much as a token.
 */
const MOST_ROWS_ON_GPU = 31;

/** What one pass gave. */
interface Read {
  /** [Vout]: the scores of what follows the last id; empty where they were not wanted. */
  readonly logits: Float32Array;
  /** [3 * hidden]: the states that become the latents, of a pass that holds them. */
  readonly states?: Float32Array | undefined;
}

/** The decoder with the keys and values of everything fed so far. */
class CachedDecoder {
  private readonly past: readonly string[];
  private readonly present: readonly string[];
  private readonly inPlace: boolean;
  private cache: readonly Tensor[];
  private length = 0;

  constructor(
    private readonly parts: DecoderParts,
    private readonly focus: Float32Array | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { dimensions, backend, cache } = parts;
    const { layers, kvHeads, headDim } = dimensions;
    this.past = cacheNames('past', layers);
    this.present = cacheNames('present', layers);
    // On Node a static cache is written in place, which saves copying all of it for every token. Elsewhere graphs never
    // write into what they are fed, so one tensor is the beginning of every layer's cache.
    this.inPlace = cache !== undefined && backend.device === 'node';
    const zeros = () => backend.zeros(cache?.type ?? 'float32', [1, kvHeads, cache?.positions ?? 0, headDim]);
    const shared = this.inPlace ? undefined : zeros();
    this.cache = this.past.map(() => shared ?? zeros());
  }

  /** Feeds one step in one pass. `scores`: are those of what follows wanted? */
  async feed(step: Fed, scores = true): Promise<Read> {
    return this.pass(await this.embedStep(step), step, scores);
  }

  /** Feeds a prompt, with rows in its places, and the opening of the answer in one pass. */
  async feedPrompt(
    prompt: readonly PromptPiece[],
    rows: Readonly<Partial<Record<'image' | 'params', Float32Array>>>,
    opening: Fed,
    scores: boolean,
  ): Promise<Read> {
    const { hidden } = this.parts.dimensions;
    const embedded = await this.embed(prompt.flatMap((piece) => ('ids' in piece ? piece.ids : [])));
    const chunks: Float32Array[] = [];
    let used = 0;
    for (const piece of prompt) {
      if ('ids' in piece) {
        chunks.push(embedded.subarray(used, used + piece.ids.length * hidden));
        used += piece.ids.length * hidden;
      } else {
        chunks.push(this.checkRows(rows[piece.rows], piece.rows));
      }
    }
    chunks.push(await this.embedStep(opening));
    return this.pass(concatenate(chunks), opening, scores);
  }

  dispose(): void {
    for (const tensor of new Set(this.cache)) tensor.dispose();
    this.cache = [];
  }

  private async embedStep({ feed, marks }: Fed): Promise<Float32Array> {
    const embeds = await this.embed(feed);
    if (!this.focus) return embeds;
    const { hidden } = this.parts.dimensions;
    for (const { place, row } of marks) {
      for (let i = 0; i < hidden; i++) embeds[place * hidden + i] += this.focus[row * hidden + i];
    }
    return embeds;
  }

  private async embed(ids: readonly number[]): Promise<Float32Array> {
    throwIfCancelled(this.signal);
    return embedTokens(this.parts, ids);
  }

  private checkRows(rows: Float32Array | undefined, place: 'image' | 'params'): Float32Array {
    const { hidden, imageTokens, paramTokens } = this.parts.dimensions;
    const expected = hidden * (place === 'image' ? imageTokens : paramTokens);
    return rows?.length === expected ? rows : wrongSize(`The encoding of the ${place}`, rows?.length ?? 0, expected);
  }

  /** Feeds rows [n, hidden], the last of which are the embeddings of `fed`. */
  private async pass(embeds: Float32Array, { feed, states: places }: Fed, scores: boolean): Promise<Read> {
    const { backend, dimensions, skeleton } = this.parts;
    const { hidden } = dimensions;
    const rows = embeds.length / hidden;
    const most = backend.device === 'webgpu' ? MOST_ROWS_ON_GPU : rows;
    const wanted = places.map((place) => rows - feed.length + place);
    const states = new Float32Array(wanted.length * hidden);
    let logits: Float32Array | undefined;
    for (let first = 0; first < rows; first += most) {
      const end = Math.min(rows, first + most);
      const part = end - first === rows ? embeds : embeds.slice(first * hidden, end * hidden);
      const within = wanted.map((row) => row >= first && row < end);
      const names = [...(within.includes(true) ? ['hidden'] : []), ...(scores && end === rows ? ['logits'] : [])];
      const read = await this.runPart(part, names);
      within.forEach((here, i) => {
        const at = (wanted[i] - first) * hidden;
        if (here) states.set(read.get('hidden')!.subarray(at, at + hidden), i * hidden);
      });
      logits = read.get('logits');
    }
    if (logits && logits.length !== skeleton.scores) {
      return wrongSize('The list of scores', logits.length, skeleton.scores);
    }
    return { logits: logits ?? new Float32Array(0), states: places.length > 0 ? states : undefined };
  }

  /** One run of the decoder over rows; what is not wanted is not fetched. */
  private async runPart(embeds: Float32Array, wanted: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    throwIfCancelled(this.signal);
    const { backend, decoder, dimensions, cache } = this.parts;
    const count = embeds.length / dimensions.hidden;
    const total = this.length + count;
    if (cache && total > cache.positions) throw noPlace(total, cache.positions);
    const feeds: Record<string, Tensor> = {
      inputs_embeds: backend.floats(embeds, [1, count, dimensions.hidden]),
      attention_mask: backend.integers(new BigInt64Array(total).fill(1n), [1, total]),
    };
    this.past.forEach((name, i) => (feeds[name] = this.cache[i]!));
    const into = this.inPlace ? Object.fromEntries(this.present.map((name, i) => [name, this.cache[i]])) : undefined;
    const results = await decoder.run(feeds, [...wanted, ...this.present], into);
    const next = this.present.map((name) => results[name]);
    for (const tensor of new Set(this.cache)) if (!next.includes(tensor)) tensor.dispose();
    this.cache = next;
    this.length = total;
    const read = new Map<string, Float32Array>();
    for (const name of wanted) read.set(name, await takeFloats(results[name]));
    return read;
  }
}

/** Embeddings [ids, hidden] of token ids. Throws InferenceError when the graph gives another size. */
export async function embedTokens(
  { backend, embed, dimensions }: Pick<DecoderParts, 'backend' | 'embed' | 'dimensions'>,
  ids: readonly number[],
): Promise<Float32Array> {
  const input = backend.integers(BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const { embeds } = await embed.run({ input_ids: input }, ['embeds']);
  const values = await takeFloats(embeds);
  const expected = ids.length * dimensions.hidden;
  return values.length === expected ? values : wrongSize('The embedding', values.length, expected);
}

/** The values of a tensor, which is released. */
export async function takeFloats(tensor: Tensor): Promise<Float32Array> {
  try {
    return await tensor.floats();
  } finally {
    tensor.dispose();
  }
}

function concatenate(chunks: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function wrongSize(what: string, actual: number, expected: number): never {
  throw new InferenceError(
    `${what} has ${actual} values where bundle.json's dimensions say ${expected}. No result was produced.`,
    'Get the bundle again, or export it anew.',
  );
}

function noPlace(needed: number, positions: number): InferenceError {
  return new InferenceError(
    `The prompt and its answer need ${needed} positions of the model's memory, which has ${positions}. ` +
      'No result was produced.',
    'Shorten the style, or use a bundle with a longer cache.',
  );
}

function noAnswer(): InferenceError {
  return new InferenceError(
    'The words that were given are no answer in the form of this model. No result was produced.',
    'Give the token ids of a whole answer of this bundle.',
  );
}

function noScores(field: Field): InferenceError {
  return new InferenceError(
    `The model's scores are not numbers while it writes "${field}". No result was produced.`,
    'Choose another device: this one computes the model wrongly.',
  );
}
