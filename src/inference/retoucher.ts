import type { Lut3D } from '../color/lut3d';
import { answerQuestion, checkLatents, type AnswerGraphs, type Question } from './answer';
import type { Backend, Session } from './backend';
import type { Bundle, BundleSource } from './bundle';
import { embedTokens, takeFloats } from './decoder';
import { InputError, throwIfCancelled } from './errors';
import { focusOnPhoto, focusOnSliders, type Focus, type SeenPhoto } from './focus';
import { graphsOf } from './graphs';
import { type Grounding, type AnswerGuide, type RenderColours } from './grounding/guide';
import type { AnswerMode, Manifest, Mode } from './manifest';
import type { ReferenceInput } from './manifest2';
import { openBundle, type OpenedBundle } from './opened';
import { parametersAsPythonDict } from './parameterText';
import { isMonochrome, takeColorOut } from './monochrome';
import { maskInactiveFactors, type Parameters } from './params';
import { checkPhoto, photoValues, referenceValues } from './photoInput';
import { PhotoMemory } from './photoMemory';
import { checkImage, type RgbImage } from './preprocess';
import { buildPrompt, encodeInstruction, plainInstruction, type PromptPiece } from './prompt';
import { bakeLut, bakeMeasured, checkLutSize, type BakedLut, type Render } from './bake';
import { checkColours, renderColours, renderRetouch, withStrength } from './render';
import {
  reasoningFrom,
  type BakeOptions,
  type CallOptions,
  type Capabilities,
  type LoadOptions,
  type ParamOptions,
  type RetouchResult,
} from './result';
import { Serial } from './serial';
import { checkVoice, voiceOfParameters, voiceOfPhoto } from './voices';

/**
 * The model on one backend: a photo, a style, parameters or a reference look in; latents and reasoning out; latents
 * to LUT. Calls on one retoucher run one after the other, in the order in which they were made; what is live, sliders and rendering, does so
 * among itself, so that a picture is there while its words are written.
 */
export class Retoucher {
  private readonly serial = new Serial();
  private readonly renders = new Serial();
  private readonly photos = new PhotoMemory();

  private constructor(
    private readonly parts: OpenedBundle,
    private readonly backend: Backend,
    /** Milliseconds that `load` took. */
    readonly loadMs: number,
  ) {}

  /**
   * Opens and verifies a bundle (one that is open already is taken as it is) and reads its tokenizer; graphs are loaded when first needed.
   * Throws BundleError when the bundle cannot be used, InferenceError MEMORY when the device cannot hold it, CancelledError.
   */
  static async load(source: BundleSource | Bundle, backend: Backend, options: LoadOptions = {}): Promise<Retoucher> {
    const started = performance.now();
    const parts = await openBundle(source, backend, options);
    return new Retoucher(parts, backend, performance.now() - started);
  }

  /** The checked bundle.json. */
  get manifest(): Manifest {
    return this.parts.bundle.manifest;
  }

  get capabilities(): Capabilities {
    const { params, encoder } = this.manifest.graphs;
    return { sliders: params.size > 0, reference: encoder.size > 0, pictureFirst: this.manifest.latentsFirst };
  }

  /**
   * Makes ready all graphs that a mode needs, so that its first call does not wait for them; without it each is loaded
   * when it is first needed. Throws BundleError, InferenceError, CancelledError, and InputError INPUT_NO_REFERENCE.
   */
  async prepare(mode: Mode, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (mode === 'reference') this.requireEncoder();
    await this.exclusive(options.signal, () =>
      this.parts.graphs.prepare(graphsOf(mode, this.manifest), options.signal),
    );
  }

  /** Looks at a photo and decides what it needs. Throws InputError, BundleError, InferenceError, CancelledError. */
  async auto(image: RgbImage, options: CallOptions = {}): Promise<RetouchResult> {
    checkPhoto(image, this.manifest.photoInput);
    this.checkOptions(options);
    return this.exclusive(options.signal, () => this.answerPhoto('auto', image, '', options));
  }

  /**
   * Retouches a photo as an instruction says. Special tokens in the instruction are plain text to the model.
   * Throws as `auto`, and InputError INPUT_INSTRUCTION when the instruction is empty or too long.
   */
  async style(image: RgbImage, instruction: string, options: CallOptions = {}): Promise<RetouchResult> {
    const { manifest } = this;
    const { tokenizer } = this.parts;
    checkPhoto(image, manifest.photoInput);
    this.checkOptions(options);
    const words = encodeInstruction(instruction, manifest.maxInstructionTokens, tokenizer);
    return this.exclusive(options.signal, () => this.answerPhoto('style', image, instruction, options, words));
  }

  /**
   * Turns the 38 parameters into latents by the language model, with its plan in words. The photo is for these only: the
   * vision graph is not even loaded. `monochrome` in the result is for the bake. Throws as `auto`.
   */
  async param(parameters: Parameters, options: ParamOptions = {}): Promise<RetouchResult> {
    if (options.photo) checkPhoto(options.photo, this.manifest.photoInput);
    this.checkOptions(options);
    const byText = this.manifest.parameterText !== undefined;
    const result = await (byText ? this.paramByText(parameters, options) : this.paramByHead(parameters, options));
    return isMonochrome(parameters) ? { ...result, monochrome: true } : result;
  }

  private async paramByHead(parameters: Parameters, options: ParamOptions): Promise<RetouchResult> {
    const prompt = this.promptOf('param', '', this.voiceOfParameters(parameters, options));
    return this.exclusive(options.signal, async () => {
      const loadedBefore = this.parts.graphs.loadMs;
      const decoder = await this.loadDecoder(options.signal);
      const params = await this.parts.graphs.get('params', options.signal);
      const load = this.parts.graphs.loadMs - loadedBefore;
      const started = performance.now();
      const { param_tokens: rows } = await params.run({ params: this.parameterTensor(parameters) }, ['param_tokens']);
      const paramRows = await takeFloats(rows);
      const headMs = performance.now() - started;
      const focus = focusOnSliders(this.manifest, paramRows);
      const { active } = parameters;
      const seen = this.parts.grounding && options.photo && photoValues(options.photo, this.manifest.photoInput);
      const guideOf = this.guided(
        options.signal,
        (grounding, render) => grounding.ofSliders(parameters.values, seen, render),
        isMonochrome(parameters),
      );
      const question: Question = { mode: 'param', prompt, rows: { params: paramRows }, focus, active, guideOf };
      const result = await this.answer(decoder, question, options);
      const { prefill, decode, picture } = result.timingsMs;
      const timingsMs = { load, vision: 0, prefill: headMs + prefill, decode, picture: headMs + picture };
      return { ...result, timingsMs };
    });
  }

  /** Takes the look from a pair of photos of any sizes: what was done between them. No words. Throws as `auto`. */
  async reference(before: RgbImage, after: RgbImage, options: CallOptions = {}): Promise<RetouchResult> {
    const input = this.requireEncoder();
    checkImage(before);
    checkImage(after);
    return this.exclusive(options.signal, async () => {
      const loadedBefore = this.parts.graphs.loadMs;
      const encoder = await this.parts.graphs.get('encoder', options.signal);
      const load = this.parts.graphs.loadMs - loadedBefore;
      const started = performance.now();
      const feeds = {
        before: this.squareTensor(referenceValues(before, input), input.size),
        after: this.squareTensor(referenceValues(after, input), input.size),
      };
      throwIfCancelled(options.signal);
      const { latents } = await encoder.run(feeds, ['latents']);
      const values = checkLatents(await takeFloats(latents), this.manifest);
      throwIfCancelled(options.signal);
      const vision = performance.now() - started;
      options.onLatents?.(values.slice());
      return {
        mode: 'reference' as const,
        latents: values,
        reasoning: reasoningFrom(new Map()),
        tokens: 0,
        tokenIds: [],
        timingsMs: { load, vision, prefill: 0, decode: 0, picture: vision },
      };
    });
  }

  /**
   * Turns the 38 parameters into latents [3, D] by the parameter head alone, in about a millisecond: for sliders that
   * answer at once. Throws BundleError, InferenceError, CancelledError, and InputError INPUT_NO_SLIDERS when the bundle has
   * no such head.
   */
  async sliders(parameters: Parameters, options: { readonly signal?: AbortSignal } = {}): Promise<Float32Array> {
    if (!this.capabilities.sliders) {
      throw new InputError(
        'INPUT_NO_SLIDERS',
        `The model "${this.manifest.name}" has no part that answers sliders at once. Nothing was retouched.`,
        'Use param mode, in which the language model reads the parameters, or another model.',
      );
    }
    return this.exclusive(
      options.signal,
      async () => {
        const params = await this.parts.graphs.get('params', options.signal);
        const { latents } = await params.run({ params: this.parameterTensor(parameters) }, ['latents']);
        return maskInactiveFactors(checkLatents(await takeFloats(latents), this.manifest), parameters.active);
      },
      this.renders,
    );
  }

  /**
   * Bakes latents [3, D] into a LUT of a given size, at the given strengths. Throws InputError, CancelledError.
   */
  async bakeLut(latents: Float32Array, options: BakeOptions = {}): Promise<Lut3D> {
    const size = options.size ?? this.manifest.lutSize;
    checkLutSize(size);
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
    checkColours(colours);
    return this.rendering(latents, options, (render) => render(colours));
  }

  private async rendering<T>(
    latents: Float32Array,
    { strength = {}, monochrome, signal }: BakeOptions,
    work: (render: Render) => Promise<T>,
  ): Promise<T> {
    const retouch = withStrength(latents, strength, this.manifest.dimensions.latent, monochrome);
    return this.exclusive(
      signal,
      async () => {
        const renderer = await this.parts.graphs.get('renderer', signal);
        return work((colours) => renderRetouch(this.backend, renderer, colours, retouch, signal));
      },
      this.renders,
    );
  }

  /** Releases the sessions, after the calls that are under way. Later calls throw InferenceError. */
  async dispose(): Promise<void> {
    const end = (): Promise<void> => {
      this.photos.clear();
      return this.parts.graphs.dispose();
    };
    await this.serial.run(() => this.renders.run(end));
  }

  private exclusive<T>(
    signal: AbortSignal | undefined,
    task: () => Promise<T>,
    serial: Serial = this.serial,
  ): Promise<T> {
    return serial.run(async () => {
      throwIfCancelled(signal);
      const result = await task();
      throwIfCancelled(signal);
      return result;
    });
  }

  private async paramByText(parameters: Parameters, options: CallOptions): Promise<RetouchResult> {
    const { text, active } = parametersAsPythonDict(parameters);
    const prompt = this.promptOf('param', text, this.voiceOfParameters(parameters, options));
    return this.exclusive(options.signal, async () => {
      const loadedBefore = this.parts.graphs.loadMs;
      const decoder = await this.loadDecoder(options.signal);
      const load = this.parts.graphs.loadMs - loadedBefore;
      const question: Question = { mode: 'param', prompt, rows: {}, focus: undefined, active };
      const result = await this.answer(decoder, question, options);
      return { ...result, timingsMs: { ...result.timingsMs, load } };
    });
  }

  /** What the encoder takes, in a bundle that has one. */
  private requireEncoder(): ReferenceInput {
    const { referenceInput, name } = this.manifest;
    if (this.capabilities.reference && referenceInput) return referenceInput;
    throw new InputError(
      'INPUT_NO_REFERENCE',
      `The model "${name}" came without the part that takes a look from a pair of photos. Nothing was retouched.`,
      'Convert it again together with its encoder and renderer file, or use another model for references.',
    );
  }

  /** What is asked of this model must be what it can do. Throws InputError INPUT_VOICE, INPUT_WORDS_FIRST. */
  private checkOptions({ voice, wordless }: CallOptions): void {
    if (voice !== undefined) checkVoice(voice, this.manifest.voices.length);
    if (!wordless || this.manifest.latentsFirst) return;
    throw new InputError(
      'INPUT_WORDS_FIRST',
      `The model "${this.manifest.name}" writes its reasoning first and makes the picture of it, so it has no fast answer. ` +
        'Nothing was retouched.',
      'Ask for the whole answer, or use a model that gives the picture first.',
    );
  }

  private promptOf(mode: AnswerMode, text: string, voice: number): PromptPiece[] {
    return buildPrompt(this.manifest, this.parts.tokenizer, mode, text, voice);
  }

  private voiceOfParameters({ values }: Parameters, { voice }: CallOptions): number {
    const count = this.manifest.voices.length;
    return voice ?? (count > 0 ? voiceOfParameters(values, count) : 0);
  }

  private async answerPhoto(
    mode: 'auto' | 'style',
    image: RgbImage,
    instruction: string,
    options: CallOptions,
    /** Ids of the instruction by itself, as the graph "style" takes them. */
    words: readonly number[] = [],
  ): Promise<RetouchResult> {
    const { backend, manifest } = this;
    const { graphs } = this.parts;
    const loadedBefore = graphs.loadMs;
    const look = await this.photos.look({ backend, manifest, graphs }, image, options.signal);
    const { pixels, rows, visionMs } = look;
    throwIfCancelled(options.signal);
    const focused = manifest.focus && {
      style: mode === 'style' ? await graphs.get('style', options.signal) : undefined,
      effect: await graphs.get('effect', options.signal),
    };
    const decoder = await this.loadDecoder(options.signal);
    const load = graphs.loadMs - loadedBefore;
    const started = performance.now();
    const { size } = manifest.photoInput;
    const voices = manifest.voices.length;
    const own = pixels && voices > 0 ? voiceOfPhoto(pixels, size, plainInstruction(instruction), voices) : 0;
    const prompt = this.promptOf(mode, instruction, options.voice ?? own);
    const seen = pixels && { pixels: this.squareTensor(pixels, size), rows };
    const focus = focused && seen && (await this.focusOn(seen, focused, decoder.embed, words, options.signal));
    const restMs = look.recallMs + performance.now() - started;
    const guideOf =
      pixels && this.guided(options.signal, (grounding, render) => grounding.ofPhoto(mode, pixels, render));
    const result = await this.answer(decoder, { mode, prompt, rows: { image: rows }, focus, guideOf }, options);
    const { prefill, decode, picture: answeredMs } = result.timingsMs;
    const picture = visionMs + restMs + answeredMs;
    return { ...result, timingsMs: { load, vision: visionMs, prefill: restMs + prefill, decode, picture } };
  }

  /** What words may say once the latents are known; undefined in a bundle without a wording. */
  private guided(
    signal: AbortSignal | undefined,
    make: (grounding: Grounding, render: RenderColours) => Promise<AnswerGuide>,
    /** Is the picture that they speak of black and white? */
    monochrome = false,
  ): Question['guideOf'] {
    const { backend } = this;
    const { grounding, graphs } = this.parts;
    if (!grounding) return undefined;
    return async (latents) => {
      const renderer = await graphs.get('renderer', signal);
      return make(grounding, async (colours) => {
        const out = await renderColours(backend, renderer, colours, latents, signal);
        if (monochrome) takeColorOut(out, 1);
        return out;
      });
    };
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
  private async loadDecoder(signal: AbortSignal | undefined): Promise<AnswerGraphs> {
    return {
      embed: await this.parts.graphs.get('embed', signal),
      decoder: await this.parts.graphs.get('decoder', signal),
      adaptor: await this.parts.graphs.get('adaptor', signal),
    };
  }

  private answer(graphs: AnswerGraphs, question: Question, options: CallOptions): Promise<RetouchResult> {
    return answerQuestion({ ...this.parts, ...graphs, backend: this.backend }, question, options);
  }

  private squareTensor(values: Float32Array, size: number) {
    return this.backend.floats(values, [1, 3, size, size]);
  }

  private parameterTensor({ values }: Parameters) {
    return this.backend.floats(values.slice(), [1, values.length]);
  }
}
