import { TermsError } from '../../src/cli/errors';
import { readTerms, requireAcceptance } from '../../src/cli/terms';

const TERMS = { summary: 'For research only.', file: 'LICENSE-MODEL.txt' };

function bundle(manifest: string, licence?: string) {
  const files: Record<string, string | undefined> = { 'bundle.json': manifest, 'LICENSE-MODEL.txt': licence };
  return {
    list: () => Promise.resolve(Object.keys(files)),
    read: (name: string) => {
      const text = files[name];
      return text === undefined ? Promise.reject(new Error('ENOENT')) : Promise.resolve(new TextEncoder().encode(text));
    },
  };
}

test('a bundle without terms, and one that is no bundle, ask nothing here', async () => {
  for (const manifest of ['{"formatVersion": 1}', 'null', 'no JSON']) {
    await expect(readTerms(bundle(manifest, 'x'))).resolves.toBeUndefined();
  }
});

test('terms are read without what could steer a terminal', async () => {
  await expect(readTerms(bundle(JSON.stringify({ terms: TERMS }), 'One\u001b[2J\r\n\tTwo\u009b'))).resolves.toEqual({
    summary: 'For research only.',
    text: 'One[2J\n\tTwo',
  });
});

test.each([null, 'x', {}, { ...TERMS, summary: ' ' }, { ...TERMS, file: '../x' }, { ...TERMS, file: 'a/b' }, TERMS])(
  'terms that cannot be shown are refused: %j',
  async (terms) => {
    await expect(readTerms(bundle(JSON.stringify({ terms })))).rejects.toBeInstanceOf(TermsError);
  },
);

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
