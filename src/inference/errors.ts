import { VeraRetouchError } from '../color/errors';

/** What is wrong with a model bundle, for callers that react to it; message and hint are for people. */
export type BundleErrorCode =
  | 'BUNDLE_FILE_MISSING'
  | 'BUNDLE_FILE_UNREADABLE'
  | 'BUNDLE_FILE_NAME'
  | 'BUNDLE_FILE_SIZE'
  | 'BUNDLE_CHECKSUMS'
  | 'BUNDLE_FILE_NOT_LISTED'
  | 'BUNDLE_HASH'
  | 'BUNDLE_JSON'
  | 'BUNDLE_VERSION'
  | 'BUNDLE_MANIFEST'
  | 'BUNDLE_GRAPH_MISSING'
  | 'BUNDLE_GRAPH'
  | 'BUNDLE_TOKENIZER'
  | 'BUNDLE_NO_CRYPTO';

/** The model bundle cannot be used. Nothing of it was run. */
export class BundleError extends VeraRetouchError {
  declare readonly code: BundleErrorCode;

  constructor(code: BundleErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { code, hint, cause });
  }
}

export type InputErrorCode =
  | 'INPUT_IMAGE'
  | 'INPUT_INSTRUCTION'
  | 'INPUT_PARAMETERS'
  | 'INPUT_LATENTS'
  | 'INPUT_STRENGTH'
  | 'INPUT_COLOURS'
  | 'INPUT_NO_SLIDERS'
  | 'INPUT_NO_REFERENCE'
  | 'INPUT_VOICE'
  | 'INPUT_WORDS_FIRST'
  | 'INPUT_SIZE';

/** Something handed in by the caller or the user cannot be used. No model was run on it. */
export class InputError extends VeraRetouchError {
  declare readonly code: InputErrorCode;

  constructor(code: InputErrorCode, message: string, hint: string) {
    super(message, { code, hint });
  }
}

/** `MEMORY`: the device is too small for the model, and nothing of it was loaded. */
export type InferenceErrorCode = 'INFERENCE' | 'MEMORY';

/** The machine could not run the model, or the model gave numbers that mean nothing. No result was produced. */
export class InferenceError extends VeraRetouchError {
  declare readonly code: InferenceErrorCode;

  constructor(message: string, hint: string, cause?: unknown, code: InferenceErrorCode = 'INFERENCE') {
    super(message, { code, hint, cause });
  }
}

/** The caller's AbortSignal fired. No result was produced; the retoucher can be used again. */
export class CancelledError extends VeraRetouchError {
  /** The code of Node's own AbortError, so that generic handlers recognise this one. */
  declare readonly code: 'ABORT_ERR';

  constructor(cause?: unknown) {
    super('The work was cancelled. No result was produced.', {
      code: 'ABORT_ERR',
      hint: 'Start it again when you like.',
      cause,
    });
  }
}

/** Throws CancelledError when the signal has fired. Called between the steps of every long piece of work. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError(signal.reason);
}

/**
 * Lets what waits outside run, a signal from the operating system among it, and throws CancelledError when the signal has
 * fired. Called between pieces of work that take long and wait for nothing.
 */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  throwIfCancelled(signal);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
