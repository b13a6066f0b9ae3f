import { InputError } from './errors';
import type { AnswerMode, Manifest } from './manifest';
import type { BundleTokenizer } from './tokenizer';

/** A prompt is token ids with places where rows (of a photo, of parameters) are put between their embeddings. */
export type PromptPiece = { readonly ids: readonly number[] } | { readonly rows: 'image' | 'params' };

/** A token is a few characters; this many per allowed token is too long without counting any further. */
const CHARACTERS_PER_TOKEN = 50;
/** And this many at all: they are made tokens in half a second. */
const MOST_CHARACTERS = 65536;

/**
 * Builds the prompt of a mode. `instruction` is the user's text for style mode, of which surrounding white space is
 * dropped, or in a bundle whose model reads them as text the printed parameters of param mode. It never yields a special
 * token. In format version 1 it is encoded apart from the template; in version 2 it is put in its place first, and each
 * run of ordinary text between special tokens and rows is encoded as one. `voice`: number of a voice of the bundle, whose
 * token stands where the template says {voice}.
 *
 * Throws InputError INPUT_INSTRUCTION when the instruction of style mode is empty or longer than the bundle's
 * maxInstructionTokens.
 */
export function buildPrompt(
  manifest: Manifest,
  tokenizer: BundleTokenizer,
  mode: AnswerMode,
  instruction = '',
  voice = 0,
): PromptPiece[] {
  // A function puts it there, because a replacement text would have signs of its own ("$&").
  const template = manifest.prompts[mode].replace('{voice}', () => manifest.voices[voice]);
  if (manifest.formatVersion === 2) return buildPrompt2(manifest, tokenizer, mode, template, instruction);
  const pieces: PromptPiece[] = [];
  let ids: number[] = [];
  for (const part of template.split(/(\{image\}|\{params\}|\{instruction\})/)) {
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

function buildPrompt2(
  manifest: Manifest,
  tokenizer: BundleTokenizer,
  mode: AnswerMode,
  template: string,
  instruction: string,
): PromptPiece[] {
  const { maxInstructionTokens } = manifest;
  if (mode === 'style') encodeInstruction(instruction, maxInstructionTokens, tokenizer);
  const text = mode === 'style' ? plainInstruction(instruction) : instruction;
  const pieces: PromptPiece[] = [];
  for (const part of template.split(/(\{image\}|\{params\})/)) {
    if (part === '{image}' || part === '{params}') {
      pieces.push({ rows: part === '{image}' ? 'image' : 'params' });
      continue;
    }
    // The template is cut at its special tokens before the user's text comes in, so that none of that is cut.
    const ids = tokenizer
      .splitTemplate(part)
      .flatMap((run) =>
        typeof run === 'number'
          ? [run]
          : tokenizer.encodeText(run.replace(/\{instruction\}|\{parameters\}/, () => text)),
      );
    if (ids.length > 0) pieces.push({ ids });
  }
  return pieces;
}

/** Token ids of a user's instruction, trimmed. Throws InputError INPUT_INSTRUCTION as `buildPrompt`. */
export function encodeInstruction(instruction: string, maxTokens: number, tokenizer: BundleTokenizer): number[] {
  const text = plainInstruction(instruction);
  if (text === '') {
    throw new InputError(
      'INPUT_INSTRUCTION',
      'The style is empty. Nothing was retouched.',
      'Say in a few words how the photo should look, for example "warm faded film".',
    );
  }
  const shorten = `Shorten it to ${maxTokens} tokens, about ${maxTokens * 4} characters of English.`;
  if (text.length > Math.min(maxTokens * CHARACTERS_PER_TOKEN, MOST_CHARACTERS)) {
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

/** A user's text as the model reads it. */
export function plainInstruction(instruction: string): string {
  // JavaScript and the tokenizer used in training disagree on whether the byte order mark and NEL are white space;
  // they mean nothing in an instruction.
  return instruction.replace(/[\ufeff\u0085]/g, ' ').trim();
}
