import { type ReadTerms } from '../inference';
import { type TextSink } from './console';
import { TermsError } from './errors';

/**
 * Prints terms to `stderr`: where they are accepted their summary, else the whole text, and throws TermsError. Acceptance is
 * said with each call and never remembered, so that a script shows what its owner agreed to.
 */
export function requireAcceptance(terms: ReadTerms, accepted: boolean, stderr: TextSink): void {
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
