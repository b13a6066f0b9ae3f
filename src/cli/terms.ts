import { Bundle, type BundleSource } from '../inference';
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
 * The terms that a bundle asks for, whose text is the one that its SHA256SUMS lists; undefined where it asks for none.
 * Throws BundleError.
 */
export async function readTerms(source: BundleSource): Promise<ModelTerms | undefined> {
  const bundle = await Bundle.open(source);
  const { terms } = bundle.manifest;
  if (!terms) return undefined;
  const text = new TextDecoder().decode(await bundle.read(terms.file));
  return { summary: printable(terms.summary), text: printable(text) };
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

/** Text of a stranger's file must not steer the terminal. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
