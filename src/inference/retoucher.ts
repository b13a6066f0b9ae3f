import type { Lut3D } from '../color/lut3d';
import type { Backend, Session } from './backend';
import { Bundle, type BundleSource } from './bundle';
import { decodeAnswer, embedTokens, takeFloats, type Answer, type TextEvent } from './decoder';
import { InferenceError, InputError, throwIfCancelled } from './errors';
import { focusOnPhoto, focusOnSliders, type Focus, type SeenPhoto } from './focus';
import { compileSkeleton, type Skeleton } from './grammar';
import { Graphs, graphsOf } from './graphs';
import type { AnswerMode, Field, Manifest, Mode } from './manifest';
import { maskInactiveFactors, type Factor, type Parameters } from './params';
import { checkImage, preprocessImage, type RgbImage } from './preprocess';
import { buildPrompt, encodeInstruction, type PromptPiece } from './prompt';
import { bakeLut, bakeMeasured, type BakedLut, type Render } from './bake';
import { renderRetouch, type Strength, withStrength } from './render';
import { Serial } from './serial';
import { BundleTokenizer } from './tokenizer';

export interface LoadProgress {
  /** `verify`: files of the bundle are read and compared with their hashes; `load`: a graph is made ready. */
  readonly stage: 'verify' | 'load';
  readonly file: string;
  /** Files of this stage done, and in all, where that is known. */
  readonly done?: number;
  readonly total?: number;
}

export interface LoadOptions {
  /**
   * `all` (the default): every file of the bundle is verified before anything runs. `used`: each file is verified
   * when it is first needed; starts sooner. Either way no byte is used unverified.
   */
  readonly verify?: 'all' | 'used';
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the reasoning while it is written. */
  readonly onText?: ((event: TextEvent) => void) | undefined;
}

export interface BakeOptions {
  readonly strength?: Strength | undefined;
  /** Grid points per axis; the bundle's lutSize when absent. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
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
  readonly reasoning: Reasoning;
  /** Tokens of the answer, written by the model or given by the skeleton. */
  readonly tokens: number;
  readonly tokenIds: readonly number[];
  /**
   * Milliseconds: `load` graphs read and made ready for this call, `vision` photo(s) scaled and encoded, `prefill`
   * prompt read (with the encoding of parameters or style), `decode` answer written and turned into latents.
   */
  readonly timingsMs: Readonly<Record<'load' | 'vision' | 'prefill' | 'decode', number>>;
}

/**
 * The model on one backend: a photo, a style, parameters or a reference look in; latents and reasoning out; latents
 * to LUT. Calls on one retoucher run one after the other, in the order in which they were made.
 */
export class Retoucher {
  private readonly serial = new Serial();

  private constructor(
    private readonly bundle: Bundle,
    private readonly backend: Backend,
    private readonly graphs: Graphs,
    private readonly tokenizer: BundleTokenizer,
    private readonly skeleton: Skeleton,
    /** Milliseconds that `load` took. */
    readonly loadMs: number,
  ) {}

  /**
   * Opens and verifies a bundle and reads its tokenizer; graphs are loaded when first needed.
   * Throws BundleError when the bundle cannot be used, CancelledError.
   */
  static async load(source: BundleSource, backend: Backend, options: LoadOptions = {}): Promise<Retoucher> {
    const { onProgress, signal } = options;
    const started = performance.now();
    const bundle = await Bundle.open(source, signal);
    const { manifest } = bundle;
    if (options.verify !== 'used') {
      await bundle.verifyAll({
        ...(signal ? { signal } : {}),
        onProgress: (progress) => onProgress?.({ stage: 'verify', ...progress }),
      });
    }
    const tokenizer = BundleTokenizer.create(
      await bundle.readJson(manifest.tokenizerFile, signal),
      await bundle.readJson(manifest.tokenizerConfigFile, signal),
      manifest.tokenizerFile,
    );
    const outputTokens = await bundle.readJson(manifest.outputTokensFile, signal);
    const sectionTokens =
      manifest.sectionTokensFile === undefined ? undefined : await bundle.readJson(manifest.sectionTokensFile, signal);
    const skeleton = compileSkeleton(manifest, tokenizer, outputTokens, sectionTokens);
    const graphs = new Graphs(bundle, backend, (file) => onProgress?.({ stage: 'load', file }));
    throwIfCancelled(signal);
    return new Retoucher(bundle, backend, graphs, tokenizer, skeleton, performance.now() - started);
  }

  /** The checked bundle.json. */
  get manifest(): Manifest {
    return this.bundle.manifest;
  }

  /**
   * Makes ready all graphs that a mode needs, so that its first call does not wait for them; without it each is loaded
   * when it is first needed. Throws BundleError, InferenceError, CancelledError.
   */
  async prepare(mode: Mode, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.exclusive(options.signal, async () => {
      for (const graph of graphsOf(mode, this.manifest)) await this.graphs.get(graph, options.signal);
    });
  }

  /** Looks at a photo and decides what it needs. Throws InputError, BundleError, InferenceError, CancelledError. */
  async auto(image: RgbImage, options: CallOptions = {}): Promise<RetouchResult> {
    checkImage(image);
    const prompt = buildPrompt(this.manifest, this.tokenizer, 'auto');
    return this.exclusive(options.signal, () => this.answerPhoto('auto', image, prompt, options));
  }

  /**
   * Retouches a photo as an instruction says. Special tokens in the instruction are plain text to the model.
   * Throws as `auto`, and InputError INPUT_INSTRUCTION when the instruction is empty or too long.
   */
  async style(image: RgbImage, instruction: string, options: CallOptions = {}): Promise<RetouchResult> {
    checkImage(image);
    const prompt = buildPrompt(this.manifest, this.tokenizer, 'style', instruction);
    const words = encodeInstruction(instruction, this.manifest.maxInstructionTokens, this.tokenizer);
    return this.exclusive(options.signal, () => this.answerPhoto('style', image, prompt, options, words));
  }

  /** Turns the 38 parameters into latents by the language model, with its plan in words. Throws as `auto`. */
  async param(parameters: Parameters, options: CallOptions = {}): Promise<RetouchResult> {
    const prompt = buildPrompt(this.manifest, this.tokenizer, 'param');
    return this.exclusive(options.signal, async () => {
      const loadedBefore = this.graphs.loadMs;
      const decoder = await this.loadDecoder(options.signal);
      const params = await this.graphs.get('params', options.signal);
      const load = this.graphs.loadMs - loadedBefore;
      const started = performance.now();
      const { param_tokens: rows } = await params.run({ params: this.parameterTensor(parameters) }, ['param_tokens']);
      const paramRows = await takeFloats(rows);
      const headMs = performance.now() - started;
      const focus = focusOnSliders(this.manifest, paramRows);
      const result = await this.answer('param', decoder, prompt, { params: paramRows }, focus, options);
      maskInactiveFactors(result.latents, parameters.active);
      const { prefill, decode } = result.timingsMs;
      return { ...result, timingsMs: { load, vision: 0, prefill: headMs + prefill, decode } };
    });
  }

  /** Takes the look from a pair of photos of any sizes: what was done between them. No words. Throws as `auto`. */
  async reference(before: RgbImage, after: RgbImage, options: CallOptions = {}): Promise<RetouchResult> {
    checkImage(before);
    checkImage(after);
    return this.exclusive(options.signal, async () => {
      const loadedBefore = this.graphs.loadMs;
      const encoder = await this.graphs.get('encoder', options.signal);
      const load = this.graphs.loadMs - loadedBefore;
      const started = performance.now();
      const size = this.manifest.referenceSize;
      const feeds = { before: this.imageTensor(before, size), after: this.imageTensor(after, size) };
      throwIfCancelled(options.signal);
      const { latents } = await encoder.run(feeds, ['latents']);
      const values = this.checkLatents(await takeFloats(latents));
      throwIfCancelled(options.signal);
      return {
        mode: 'reference' as const,
        latents: values,
        reasoning: reasoningFrom(new Map()),
        tokens: 0,
        tokenIds: [],
        timingsMs: { load, vision: performance.now() - started, prefill: 0, decode: 0 },
      };
    });
  }

  /**
   * Turns the 38 parameters into latents [3, D] by the parameter head alone, in about a millisecond: for sliders that
   * answer at once. Throws BundleError, InferenceError, CancelledError.
   */
  async sliders(parameters: Parameters, options: { readonly signal?: AbortSignal } = {}): Promise<Float32Array> {
    return this.exclusive(options.signal, async () => {
      const params = await this.graphs.get('params', options.signal);
      const { latents } = await params.run({ params: this.parameterTensor(parameters) }, ['latents']);
      return maskInactiveFactors(this.checkLatents(await takeFloats(latents)), parameters.active);
    });
  }

  /**
   * Bakes latents [3, D] into a LUT of a given size, at the given strengths. Throws InputError, CancelledError.
   */
  async bakeLut(latents: Float32Array, options: BakeOptions = {}): Promise<Lut3D> {
    const size = options.size ?? this.manifest.lutSize;
    if (!Number.isInteger(size) || size < 2 || size > 129) {
      throw new InputError(
        'INPUT_SIZE',
        `A LUT of ${size} points per axis was asked for. Nothing was rendered.`,
        'Use 33 or 65.',
      );
    }
    return this.rendering(latents, options, (render) => bakeLut(render, size));
  }

  /**
   * The same with the size chosen by the LUT's measured error against the renderer: 33, or 65 where 33 points are not
   * exact enough. `photo`: pixels of the photo [N, 3], 8 bits, at which is measured too. Throws as `bakeLut`.
   */
  async bakeMeasuredLut(
    latents: Float32Array,
    options: Omit<BakeOptions, 'size'> & { readonly photo?: Uint8Array | undefined } = {},
  ): Promise<BakedLut> {
    return this.rendering(latents, options, (render) => bakeMeasured(render, options.photo));
  }

  /**
   * Renders few colours directly: `colours` [N, 3] sRGB in [0, 1] -> [N, 3] in [0, 1]. Throws as `bakeLut`.
   */
  async renderColours(colours: Float32Array, latents: Float32Array, options: BakeOptions = {}): Promise<Float32Array> {
    if (colours.length % 3 !== 0 || colours.some((value) => !(value >= 0 && value <= 1))) {
      throw new InputError(
        'INPUT_COLOURS',
        'The colours are no rows of three values in [0, 1]. Nothing was rendered.',
        'Check them.',
      );
    }
    return this.rendering(latents, options, (render) => render(colours));
  }

  private async rendering<T>(
    latents: Float32Array,
    { strength = {}, signal }: BakeOptions,
    work: (render: Render) => Promise<T>,
  ): Promise<T> {
    const retouch = withStrength(latents, strength, this.manifest.dimensions.latent);
    return this.exclusive(signal, async () => {
      const renderer = await this.graphs.get('renderer', signal);
      return work((colours) => renderRetouch(this.backend, renderer, colours, retouch, signal));
    });
  }

  /** Releases the sessions, after the calls that are under way. Later calls throw InferenceError. */
  async dispose(): Promise<void> {
    await this.serial.run(() => this.graphs.dispose());
  }

  private exclusive<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    return this.serial.run(async () => {
      throwIfCancelled(signal);
      const result = await task();
      throwIfCancelled(signal);
      return result;
    });
  }

  private async answerPhoto(
    mode: 'auto' | 'style',
    image: RgbImage,
    prompt: readonly PromptPiece[],
    options: CallOptions,
    words: readonly number[] = [],
  ): Promise<RetouchResult> {
    const loadedBefore = this.graphs.loadMs;
    const vision = await this.graphs.get('vision', options.signal);
    const focused = this.manifest.focus && {
      style: mode === 'style' ? await this.graphs.get('style', options.signal) : undefined,
      effect: await this.graphs.get('effect', options.signal),
    };
    const decoder = await this.loadDecoder(options.signal);
    const load = this.graphs.loadMs - loadedBefore;
    const started = performance.now();
    const pixels = this.imageTensor(image, this.manifest.imageSize);
    throwIfCancelled(options.signal);
    const { image_tokens: rows } = await vision.run({ image: pixels }, ['image_tokens']);
    const imageRows = await takeFloats(rows);
    const visionMs = performance.now() - started;
    throwIfCancelled(options.signal);
    const seen = { pixels, rows: imageRows };
    const focus = focused && (await this.focusOn(seen, focused, decoder.embed, words, options.signal));
    const focusMs = performance.now() - started - visionMs;
    const result = await this.answer(mode, decoder, prompt, { image: imageRows }, focus, options);
    const { prefill, decode } = result.timingsMs;
    return { ...result, timingsMs: { load, vision: visionMs, prefill: focusMs + prefill, decode } };
  }

  private async focusOn(
    photo: SeenPhoto,
    { style, effect }: { readonly style: Session | undefined; readonly effect: Session },
    embed: Session,
    words: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Focus> {
    const { backend, manifest } = this;
    const parts = { backend, manifest, effect, signal };
    if (!style) return focusOnPhoto(parts, photo);
    const embeds = await embedTokens({ backend, embed, dimensions: manifest.dimensions }, words);
    throwIfCancelled(signal);
    return focusOnPhoto(parts, photo, { style, embeds });
  }

  /** All that an answer needs, so that no graph is loaded in the middle of one and times stay honest. */
  private async loadDecoder(signal: AbortSignal | undefined) {
    return {
      embed: await this.graphs.get('embed', signal),
      decoder: await this.graphs.get('decoder', signal),
      adaptor: await this.graphs.get('adaptor', signal),
    };
  }

  private async answer(
    mode: AnswerMode,
    { embed, decoder, adaptor }: Awaited<ReturnType<Retoucher['loadDecoder']>>,
    prompt: readonly PromptPiece[],
    rows: { image?: Float32Array; params?: Float32Array },
    focus: Focus | undefined,
    { signal, onText }: CallOptions,
  ): Promise<RetouchResult> {
    const { backend, tokenizer, skeleton } = this;
    const { dimensions } = this.manifest;
    const parts = { backend, embed, decoder, tokenizer, skeleton, dimensions };
    const answer: Answer = await decodeAnswer(parts, {
      sections: skeleton.sections[mode],
      prompt,
      rows,
      focus: focus?.rows,
      signal,
      onText,
    });
    throwIfCancelled(signal);
    const started = performance.now();
    const states = backend.floats(answer.states, [1, 3 * dimensions.hidden]);
    const plan = focus?.plan && { plan: backend.floats(focus.plan, [1, 3, dimensions.hidden]) };
    const { latents } = await adaptor.run({ states, ...plan }, ['latents']);
    const values = this.checkLatents(await takeFloats(latents));
    const decode = answer.decodeMs + performance.now() - started;
    return {
      mode,
      latents: values,
      reasoning: reasoningFrom(answer.texts),
      tokens: answer.tokenIds.length,
      tokenIds: answer.tokenIds,
      timingsMs: { load: 0, vision: 0, prefill: answer.prefillMs, decode },
    };
  }

  private imageTensor(image: RgbImage, size: number) {
    return this.backend.floats(preprocessImage(image, size), [1, 3, size, size]);
  }

  private parameterTensor({ values }: Parameters) {
    return this.backend.floats(values.slice(), [1, values.length]);
  }

  private checkLatents(latents: Float32Array): Float32Array {
    const expected = 3 * this.manifest.dimensions.latent;
    if (latents.length === expected && latents.every((value) => Number.isFinite(value))) return latents;
    throw new InferenceError(
      `The model gave ${latents.length} latent values where ${expected} finite ones are expected. No result was produced.`,
      'Choose another device, or get the bundle again.',
    );
  }
}

function reasoningFrom(texts: ReadonlyMap<Field, string>): Reasoning {
  const factors = (kind: 'problems' | 'plan'): FactorTexts => ({
    light: texts.get(`${kind}.light`) ?? '',
    globalColor: texts.get(`${kind}.globalColor`) ?? '',
    specificColor: texts.get(`${kind}.specificColor`) ?? '',
  });
  return { elements: texts.get('elements') ?? '', problems: factors('problems'), plan: factors('plan') };
}
