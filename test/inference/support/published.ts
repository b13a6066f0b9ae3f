import { readFileSync } from 'node:fs';
import { bytesOf, type Files, type Loose, PLAIN_ADAPTOR, readBundle, rehashed, TINY, withManifest } from './bundles';

const TINY_FILES = readBundle(TINY);

/** The tiny bundle said in version 2, without what a published model lacks: parameter head, encoder. */
export function published(m: Loose): void {
  m.formatVersion = 2;
  delete m.graphs.params;
  delete m.dimensions.paramTokens;
  delete m.graphs.encoder;
  delete m.preprocess.reference;
  delete m.focus;
  delete m.sectionTokens;
  m.parameterText = 'python-dict';
  // The tiny decoder knows 1,024 positions, of which its tokenizer needs 981 for the printed parameters.
  m.prompts.param = '<|im_start|>{parameters}';
  for (const section of m.answer.param) section.maxTokens = 4;
  m.preprocess.image = { kind: 'letterbox', shortEdge: 32, size: 64 };
  m.separators = { param: ['', '\n', ' ', 'so: '] };
  m.cache = { positions: 2048, float16: ['webgpu-f16'] };
  m.terms = { summary: 'For research only.', file: 'LICENSE-MODEL.txt' };
  m.memory = { node: { page: 2e9 }, webgpu: { page: 1e9, gpu: 1.2e9, largestBuffer: 3e8 } };
  m.research = true;
}

const withTerms = (files: Files): Files => new Map([...files, ['LICENSE-MODEL.txt', bytesOf('For research only.')]]);
/** A consistent copy of the tiny bundle, with terms, whose bundle.json was edited. */
export const edited = (...edits: ((m: Loose) => unknown)[]): Files =>
  withManifest(withTerms(TINY_FILES), (m) => {
    for (const edit of edits) edit(m);
  });
/** The same with the adaptor that takes the states alone. */
export const PUBLISHED = ((): Files => {
  const files = edited(published);
  const plain = new Uint8Array(readFileSync(PLAIN_ADAPTOR));
  return rehashed(new Map([...files, ['adaptor.onnx', plain]]));
})();
