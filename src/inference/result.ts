import type { TextEvent } from './decoder';
import type { Field, Mode } from './manifest';
import type { AvailableMemory } from './memory';
import type { Factor } from './params';
import type { RgbImage } from './preprocess';
import type { Strength } from './render';

export interface LoadProgress {
  /** `verify`: files of the bundle are read and compared with their hashes; `load`: a graph is made ready. */
  readonly stage: 'verify' | 'load';
  readonly file: string;
  /** Files of this stage done, and in all, where that is known. */
  readonly done?: number;
  readonly total?: number;
  /** The same in bytes, where the bundle's source can tell; may come several times for one file. */
  readonly bytes?: number;
  readonly totalBytes?: number;
}

export interface LoadOptions {
  /**
   * `all` (the default): every file of the bundle is verified before anything runs. `used`: each file is verified
   * when it is first needed; starts sooner. Either way no byte is used unverified.
   */
  readonly verify?: 'all' | 'used';
  /** What this machine has to give: a device that cannot hold the model is refused before anything is loaded. */
  readonly available?: AvailableMemory;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the reasoning while it is written. */
  readonly onText?: ((event: TextEvent) => void) | undefined;
  /**
   * Token ids of a whole answer, to be taken as if the model had chosen them: two devices that would fall out over a word are
   * compared by what follows from the same words. InferenceError where they are no answer in the model's form.
   */
  readonly words?: readonly number[] | undefined;
  /**
   * Called once with latents [3, D], a copy, as soon as they are known: before the words in a bundle that gives the picture first
   * (`capabilities.pictureFirst`), at the end in others. LUTs may be baked of them while the words are written.
   */
  readonly onLatents?: ((latents: Float32Array) => void) | undefined;
  /**
   * The fast answer: no words are written, the reasoning is empty. InputError INPUT_WORDS_FIRST where the model writes its words
   * before the picture. (A reference look never has words.)
   */
  readonly wordless?: boolean | undefined;
  /**
   * Number of the voice in which the answer is worded, in place of the one that follows from the input. InputError INPUT_VOICE
   * where the model has none of that number.
   */
  readonly voice?: number | undefined;
  /**
   * Words as the model alone chooses them. Else, in a bundle with a wording and the picture first, the problems and the plan say
   * only what the picture shows.
   */
  readonly unchecked?: boolean | undefined;
}

export interface ParamOptions extends CallOptions {
  /** The photo that the parameters are meant for: the plan then leaves out what it does not show. The latents do not depend on it. */
  readonly photo?: RgbImage | undefined;
}

export interface BakeOptions {
  readonly strength?: Strength | undefined;
  /**
   * Is it black and white (RetouchResult.monochrome)? Then the color that the renderer leaves is taken out to the last bit;
   * at a strength of the global color below 1, that share of it.
   */
  readonly monochrome?: boolean | undefined;
  /** Grid points per axis; the bundle's lutSize when absent. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a bundle can do beyond photos and styles. */
export interface Capabilities {
  /** Does it answer sliders at once, by a head of its own? (Param mode works either way.) */
  readonly sliders: boolean;
  readonly reference: boolean;
  /** Does it give the picture before it writes its words? Then it can also leave the words out. */
  readonly pictureFirst: boolean;
}

/** Texts by factor; empty where the model says nothing. */
export type FactorTexts = Readonly<Record<Factor, string>>;

export interface Reasoning {
  readonly elements: string;
  readonly problems: FactorTexts;
  readonly plan: FactorTexts;
}

export interface RetouchResult {
  readonly mode: Mode;
  /** [3, D] row-major: light, globalColor, specificColor. */
  readonly latents: Float32Array;
  /** True where the parameters ask for black and white, which whoever renders the latents says in BakeOptions. */
  readonly monochrome?: boolean | undefined;
  readonly reasoning: Reasoning;
  /** Tokens of the answer, written by the model or given by the skeleton. */
  readonly tokens: number;
  readonly tokenIds: readonly number[];
  /** With `words`: the share of those that the model was free to choose which it would have chosen too. */
  readonly agreed?: number | undefined;
  /**
   * Milliseconds: `load` graphs read and made ready for this call, `vision` photo(s) scaled and encoded (0 for a photo
   * that is known from the call before), `prefill` prompt read (with the encoding of parameters or style), `decode`
   * answer written and turned into latents. `picture`: from the start to the latents, without `load`; in a bundle that gives
   * the picture first less than the sum of the others.
   */
  readonly timingsMs: Readonly<Record<'load' | 'vision' | 'prefill' | 'decode' | 'picture', number>>;
}

/** The texts of an answer as a result holds them. */
export function reasoningFrom(texts: ReadonlyMap<Field, string>): Reasoning {
  const factors = (kind: 'problems' | 'plan'): FactorTexts => ({
    light: texts.get(`${kind}.light`) ?? '',
    globalColor: texts.get(`${kind}.globalColor`) ?? '',
    specificColor: texts.get(`${kind}.specificColor`) ?? '',
  });
  return { elements: texts.get('elements') ?? '', problems: factors('problems'), plan: factors('plan') };
}
