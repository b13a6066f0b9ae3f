import { InputError } from './errors';
import type { AnswerMode, Manifest } from './manifest';
import type { BundleTokenizer } from './tokenizer';

/** A prompt is token ids with places where rows (of a photo, of parameters) are put between their embeddings. */
export type PromptPiece = { readonly ids: readonly number[] } | { readonly rows: 'image' | 'params' };

/** A token is a few characters; this many per allowed token is too long without counting any further. */
const CHARACTERS_PER_TOKEN = 50;

/**
 * Builds the prompt of a mode. `instruction` is the user's text for style mode: surrounding white space is dropped,
 * the rest is encoded apart from the template and never yields a special token.
 *
 * Throws InputError INPUT_INSTRUCTION when the instruction of style mode is empty or longer than the bundle's
 * maxInstructionTokens.
 */
export function buildPrompt(
  manifest: Manifest,
  tokenizer: BundleTokenizer,
  mode: AnswerMode,
  instruction = '',
): PromptPiece[] {
  const pieces: PromptPiece[] = [];
  let ids: number[] = [];
  for (const part of manifest.prompts[mode].split(/(\{image\}|\{params\}|\{instruction\})/)) {
    if (part === '{image}' || part === '{params}') {
      if (ids.length > 0) pieces.push({ ids });
      ids = [];
      pieces.push({ rows: part === '{image}' ? 'image' : 'params' });
    } else if (part === '{instruction}') {
      ids.push(...encodeInstruction(instruction, manifest.maxInstructionTokens, tokenizer));
    } else {
      ids.push(...tokenizer.encodeTemplate(part));
    }
  }
  if (ids.length > 0) pieces.push({ ids });
  return pieces;
}

/** Token ids of a user's instruction, trimmed. Throws InputError INPUT_INSTRUCTION as `buildPrompt`. */
export function encodeInstruction(instruction: string, maxTokens: number, tokenizer: BundleTokenizer): number[] {
  // JavaScript and the tokenizer used in training disagree on whether the byte order mark and NEL are white space;
  // they mean nothing in an instruction.
  const text = instruction.replace(/[\ufeff\u0085]/g, ' ').trim();
  if (text === '') {
    throw new InputError(
      'INPUT_INSTRUCTION',
      'The style is empty. Nothing was retouched.',
      'Say in a few words how the photo should look, for example "warm faded film".',
    );
  }
  const shorten = `Shorten it to ${maxTokens} tokens, about ${maxTokens * 4} characters of English.`;
  if (text.length > maxTokens * CHARACTERS_PER_TOKEN) {
    throw new InputError(
      'INPUT_INSTRUCTION',
      `The style is ${text.length} characters long. Nothing was retouched.`,
      shorten,
    );
  }
  const ids = tokenizer.encodeText(text);
  if (ids.length <= maxTokens) return ids;
  throw new InputError(
    'INPUT_INSTRUCTION',
    `The style is ${ids.length} tokens (${text.length} characters) long; the model takes at most ${maxTokens} tokens. ` +
      'Nothing was retouched.',
    shorten,
  );
}
