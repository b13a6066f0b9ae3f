import type { Backend, Session } from './backend';
import type { Bundle } from './bundle';
import { decodeAnswer, takeFloats } from './decoder';
import { InferenceError, throwIfCancelled } from './errors';
import type { Focus } from './focus';
import type { Skeleton } from './grammar';
import type { AnswerGuide } from './grounding/guide';
import type { AnswerMode, Manifest } from './manifest';
import { maskInactiveFactors } from './params';
import type { PromptPiece } from './prompt';
import { reasoningFrom, type CallOptions, type RetouchResult } from './result';
import type { BundleTokenizer } from './tokenizer';

/** The graphs that write an answer and make latents of it. */
export interface AnswerGraphs {
  readonly embed: Session;
  readonly decoder: Session;
  readonly adaptor: Session;
}

export interface AnswerParts extends AnswerGraphs {
  readonly backend: Backend;
  readonly bundle: Bundle;
  readonly tokenizer: BundleTokenizer;
  readonly skeleton: Skeleton;
}

/** What is asked. */
export interface Question {
  readonly mode: AnswerMode;
  readonly prompt: readonly PromptPiece[];
  /** Rows [n, hidden] to put at the prompt's places. */
  readonly rows: { readonly image?: Float32Array; readonly params?: Float32Array };
  readonly focus: Focus | undefined;
  /** Which factors the parameters of param mode say anything about: the others have a latent of 0. All where absent. */
  readonly active?: readonly boolean[] | undefined;
  /** What the words may say of a picture, in a bundle with a wording. */
  readonly guideOf?: ((latents: Float32Array) => Promise<AnswerGuide>) | undefined;
}

/** Writes the words and makes the latents, in the bundle's order. `timingsMs` begins when the prompt does. Throws as `auto`. */
export async function answerQuestion(
  parts: AnswerParts,
  { mode, prompt, rows, focus, active, guideOf }: Question,
  { signal, onText, onLatents, words, wordless, unchecked }: CallOptions,
): Promise<RetouchResult> {
  const { backend, bundle, adaptor, skeleton } = parts;
  const { dimensions, cache } = bundle.manifest;
  const half = cache?.float16.has(bundle.graphKey('decoder', backend) ?? 'default') === true;

  async function readLatents(states: Float32Array): Promise<Float32Array> {
    throwIfCancelled(signal);
    const feeds = {
      states: backend.floats(states, [1, 3 * dimensions.hidden]),
      ...(focus && { plan: backend.floats(focus.plan, [1, 3, dimensions.hidden]) }),
    };
    const { latents } = await adaptor.run(feeds, ['latents']);
    const values = checkLatents(await takeFloats(latents), bundle.manifest);
    if (active) maskInactiveFactors(values, active);
    throwIfCancelled(signal);
    onLatents?.(values.slice());
    // It may have been told that the picture is enough.
    throwIfCancelled(signal);
    return values;
  }

  const request = {
    ...{ sections: skeleton.sections[mode], separators: skeleton.separators[mode], prompt, rows, focus: focus?.rows },
    ...{ signal, onText, words, wordless, readLatents },
    // Words that are given are compared with what the model alone would say.
    guideOf: unchecked === true || words ? undefined : guideOf,
  };
  const { embed, decoder, tokenizer } = parts;
  const answer = await decodeAnswer(
    {
      ...{ backend, embed, decoder, tokenizer, skeleton, dimensions },
      cache: cache && { positions: cache.positions, type: half ? 'float16' : 'float32' },
    },
    request,
  );
  return {
    mode,
    latents: answer.latents,
    reasoning: reasoningFrom(answer.texts),
    tokens: answer.tokenIds.length,
    tokenIds: answer.tokenIds,
    ...(answer.agreed === undefined ? {} : { agreed: answer.agreed }),
    timingsMs: { load: 0, vision: 0, prefill: answer.prefillMs, decode: answer.decodeMs, picture: answer.pictureMs },
  };
}

/** Latents [3, D] that mean something. Throws InferenceError. */
export function checkLatents(latents: Float32Array, { dimensions }: Pick<Manifest, 'dimensions'>): Float32Array {
  const expected = 3 * dimensions.latent;
  if (latents.length === expected && latents.every((value) => Number.isFinite(value))) return latents;
  throw new InferenceError(
    `The model gave ${latents.length} latent values where ${expected} finite ones are expected. No result was produced.`,
    'Choose another device, or get the bundle again.',
  );
}
