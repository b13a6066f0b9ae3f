import { type Files, type Loose, bytesOf, rehashed } from '../../inference/support/bundles';
import { PUBLISHED, edited } from '../../inference/support/published';

export const TERMS_FILE = 'LICENSE-MODEL.txt';

/** The tiny bundle under another name, in version 2, with terms, for research only; it can do all that the tiny one can. */
export function another(...edits: ((m: Loose) => unknown)[]): Files {
  return edited(
    (m) => {
      m.formatVersion = 2;
      m.name = 'another';
      m.version = '2.0.0';
      m.terms = { summary: 'For research only.', file: TERMS_FILE };
      m.research = true;
    },
    ...edits,
  );
}

/** As a published model is: without sliders that answer at once, without an encoder, without numbers to compare with. */
export function plainModel(): Files {
  const files = new Map(PUBLISHED);
  files.delete('parity.json');
  return rehashed(files);
}

/** The same files with a licence of other words. */
export function withLicence(files: Files, text: string): Files {
  return rehashed(new Map([...files, [TERMS_FILE, bytesOf(text)]]));
}

/** The same files, one of them damaged. */
export function damaged(files: Files, name: string): Files {
  const bytes = files.get(name)!.slice();
  bytes[bytes.length >> 1] ^= 255;
  return new Map([...files, [name, bytes]]);
}
