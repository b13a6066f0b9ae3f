import { TermsError } from '../../src/cli/errors';
import { requireAcceptance } from '../../src/cli/terms';
import { Bundle, BundleError, type BundleSource, readTerms } from '../../src/inference';
import { bytesOf, memorySource, readBundle, rehashed, TINY } from '../inference/support/bundles';
import { PUBLISHED } from '../inference/support/published';

const termsOf = async (source: BundleSource) => readTerms(await Bundle.open(source));
const LICENCE = 'LICENSE-MODEL.txt';

test('a bundle without terms asks nothing', async () => {
  await expect(termsOf(memorySource(readBundle(TINY)))).resolves.toBeUndefined();
});

test('terms are read without what could steer a terminal', async () => {
  const files = rehashed(new Map([...PUBLISHED, [LICENCE, bytesOf('One\u001b[2J\r\n\tTwo\u009b\u202e')]]));
  await expect(termsOf(memorySource(files))).resolves.toEqual({
    summary: 'For research only.',
    text: 'One[2J\n\tTwo',
  });
});

test('a text that is not the one that the bundle lists is not shown', async () => {
  const changed = new Map([...PUBLISHED, [LICENCE, bytesOf('Do what you like.')]]);
  await expect(termsOf(memorySource(changed))).rejects.toMatchObject({ code: 'BUNDLE_HASH' });
  const missing = new Map([...PUBLISHED].filter(([name]) => name !== LICENCE));
  await expect(termsOf(memorySource(missing))).rejects.toBeInstanceOf(BundleError);
});

test('without acceptance the whole text is printed and the job ends; with it the summary', () => {
  let printed = '';
  const sink = { isTTY: false, write: (text: string) => (printed += text) };
  const terms = { summary: 'For research only.', text: 'The whole text\n' };
  expect(() => {
    requireAcceptance(terms, false, sink);
  }).toThrow(TermsError);
  expect(printed).toBe('The whole text\n\n');
  printed = '';
  requireAcceptance(terms, true, sink);
  expect(printed).toBe('Model terms, accepted with --accept-model-terms: For research only.\n');
});
