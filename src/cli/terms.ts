import { type FolderBundle } from '../host/files/folderBundle';
import { type TextSink } from './console';
import { TermsError } from './errors';

/** What a bundle asks to be accepted before its first use. */
export interface ModelTerms {
  /** One sentence. */
  readonly summary: string;
  /** The whole text, without control characters. */
  readonly text: string;
}

/**
 * The terms that bundle.json names, or undefined where it names none. Only that entry is judged here; a bundle.json that
 * cannot be read at all is left to the check of the bundle, which says more about it. Throws TermsError.
 */
export async function readTerms(bundle: FolderBundle): Promise<ModelTerms | undefined> {
  const terms = await namedTerms(bundle);
  if (terms === undefined) return undefined;
  const { summary, file } = (terms ?? {}) as { summary?: unknown; file?: unknown };
  if (typeof summary !== 'string' || summary.trim() === '' || typeof file !== 'string' || !/^\w[\w.-]*$/.test(file)) {
    throw unreadable('bundle.json does not say properly what they are (terms.summary, terms.file)');
  }
  try {
    return { summary: printable(summary), text: printable(new TextDecoder().decode(await bundle.read(file))) };
  } catch (cause) {
    throw unreadable(`${file} cannot be read from the bundle`, cause);
  }
}

/**
 * Prints terms to `stderr`: where they are accepted their summary, else the whole text, and throws TermsError. Acceptance is
 * said with each call and never remembered, so that a script shows what its owner agreed to.
 */
export function requireAcceptance(terms: ModelTerms, accepted: boolean, stderr: TextSink): void {
  if (accepted) {
    stderr.write(`Model terms, accepted with --accept-model-terms: ${terms.summary}\n`);
    return;
  }
  stderr.write(`${terms.text.trimEnd()}\n\n`);
  throw new TermsError(
    `This model has terms of its own: ${terms.summary} They have not been accepted; no photo was read and nothing was written.`,
    'Read them above. If you agree, add --accept-model-terms to the same command.',
  );
}

async function namedTerms(bundle: FolderBundle): Promise<unknown> {
  try {
    const manifest = JSON.parse(new TextDecoder().decode(await bundle.read('bundle.json'))) as {
      terms?: unknown;
    } | null;
    return manifest?.terms;
  } catch {
    return undefined;
  }
}

/** Text of a stranger's file must not steer the terminal. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

function unreadable(why: string, cause?: unknown): TermsError {
  return new TermsError(
    `The terms of this model cannot be shown: ${why}. The model was not used and nothing was written.`,
    'Get the bundle again, or use another one with --bundle.',
    cause,
  );
}
