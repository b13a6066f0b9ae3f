import type { Bundle } from './bundle';

/** What a bundle asks to be accepted before its first use; texts without characters that steer a display. */
export interface ReadTerms {
  /** One sentence. */
  readonly summary: string;
  /** The whole text. */
  readonly text: string;
}

/**
 * The terms that a bundle asks for, whose text is the one that its SHA256SUMS lists; undefined where it asks for none.
 * Throws BundleError, CancelledError.
 */
export async function readTerms(bundle: Bundle, signal?: AbortSignal): Promise<ReadTerms | undefined> {
  const { terms } = bundle.manifest;
  if (!terms) return undefined;
  const text = new TextDecoder().decode(await bundle.read(terms.file, signal));
  return { summary: plainText(terms.summary), text: plainText(text) };
}

/**
 * A stranger's text without control characters, but for tab and line feed, and without those that turn the direction of what
 * stands around them: it can steer neither a terminal nor a page.
 */
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '');
}
