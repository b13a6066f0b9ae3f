import type { Shape } from '../../src/inference/backend';
import { cacheNames, shapeFault } from '../../src/inference/graphShapes';
import { type GraphName, parseManifest } from '../../src/inference/manifest';
import { jsonOf, type Loose, readBundle, TINY } from './support/bundles';

const JSON_OF_TINY = jsonOf(readBundle(TINY), 'bundle.json');
const MANIFEST = parseManifest(JSON_OF_TINY);
const WHOLE_VOCABULARY = { ...MANIFEST, outputTokensFile: undefined };

const fault = (graph: GraphName, shapes: Record<string, Shape>, manifest = MANIFEST): string | undefined =>
  shapeFault(graph, manifest, { shapes: new Map(Object.entries(shapes)) });

/** hidden 96, latent 8, 4 tokens of the photo, 3 of the parameters, 1 head of 32 in the cache, 429 tokens. */
const RIGHT: [GraphName, Record<string, Shape>][] = [
  ['vision', { image: [1, 3, 64, 64], image_tokens: [1, 4, 96] }],
  ['params', { params: [1, 38], param_tokens: [1, 3, 96], latents: [1, 3, 8] }],
  ['embed', { input_ids: [1, 'S'], embeds: [1, 7, 96] }],
  ['decoder', { inputs_embeds: [1, 'S', 96], hidden: [1, 5, 96] }],
  ['decoder', { 'past.0.key': [1, 1, 'P', 32], 'present.1.value': [1, 1, 2048, 32] }],
  ['style', { embeds: [1, 'S', 96], image_tokens: [1, 4, 96], style_tokens: [1, 3, 96] }],
  ['effect', { image: [1, 3, 64, 64], plan: [1, 3, 96], effect_tokens: [1, 3, 96] }],
  ['adaptor', { states: [1, 288], plan: [1, 3, 96], latents: [1, 3, 8] }],
  ['renderer', { rgb: ['N', 3], latents: [3, 8], out: ['N', 3] }],
  ['encoder', { before: [1, 3, 32, 32], after: [1, 3, 32, 32], latents: [1, 3, 8] }],
];

describe.each(RIGHT)('%s with %j', (graph, shapes) => {
  test('fits', () => {
    expect(fault(graph, shapes)).toBeUndefined();
  });

  test('does not fit with another length of any axis that bundle.json gives', () => {
    for (const [name, shape] of Object.entries(shapes)) {
      shape.forEach((length, axis) => {
        const other = shape.map((own, i) => (i === axis ? 1000 : own));
        const free = typeof length === 'string' || [5, 7, 2048].includes(length) || name === 'input_ids';
        const found = fault(graph, { ...shapes, [name]: other });
        if (free) expect(found).toBeUndefined();
        else expect(found).toMatch(new RegExp(`^${name} is \\[.*1000.*\\] where bundle.json says \\[.*\\]$`));
      });
      if (name !== 'input_ids') expect(fault(graph, { ...shapes, [name]: [...shape, 1] })).toContain(name);
    }
  });
});

test('what a graph leaves open, or does not tell, fits', () => {
  expect(fault('vision', { image: ['batch', -1, -1, 'side'], image_tokens: [] })).toBeUndefined();
  expect(fault('vision', { image: [1, 3, 0, 64] })).toBe(
    'image is [1, 3, 0, 64] where bundle.json says [1, 3, 64, 64]',
  );
  expect(shapeFault('vision', MANIFEST, {})).toBeUndefined();
});

test('the scores are those of the vocabulary where no list says which', () => {
  expect(fault('decoder', { logits: [1, 1, 156] })).toBeUndefined();
  expect(fault('decoder', { logits: [1, 1, 429] }, WHOLE_VOCABULARY)).toBeUndefined();
  expect(fault('decoder', { logits: [1, 1, 156] }, WHOLE_VOCABULARY)).toBe(
    'logits is [1, 1, 156] where bundle.json says [1, any, 429]',
  );
});

test('a cache has keys and values of each layer', () => {
  expect(cacheNames('past', 2)).toEqual(['past.0.key', 'past.0.value', 'past.1.key', 'past.1.value']);
  expect(fault('decoder', { 'past.2.key': [9] })).toBeUndefined();
});

test('an encoder without a size of its pictures is checked by its latents', () => {
  const without = { ...MANIFEST, referenceInput: undefined };
  expect(fault('encoder', { before: [1, 3, 9, 9] }, without)).toBeUndefined();
  expect(fault('encoder', { latents: [1, 3, 9] }, without)).toContain('latents');
});

describe('the largest numbers of bundle.json', () => {
  const parsed = (edit: (m: Loose) => void): (() => unknown) => {
    const json: Loose = structuredClone<unknown>(JSON_OF_TINY);
    edit(json);
    return () => parseManifest(json);
  };

  test.each<[string, number, (m: Loose, value: number) => void]>([
    ['dimensions.hidden', 32768, (m, value) => (m.dimensions.hidden = value)],
    ['dimensions.layers', 256, (m, value) => (m.dimensions.layers = value)],
    ['dimensions.heads', 512, (m, value) => (m.dimensions.heads = value)],
    ['dimensions.headDim', 1024, (m, value) => (m.dimensions.headDim = value)],
    ['dimensions.latent', 16384, (m, value) => (m.dimensions.latent = value)],
    ['dimensions.imageTokens', 16384, (m, value) => (m.dimensions.imageTokens = value)],
    ['dimensions.vocabulary', 1_000_000, (m, value) => (m.dimensions.vocabulary = value)],
    ['preprocess.image.size', 2048, (m, value) => (m.preprocess.image.size = value)],
    ['preprocess.reference.size', 2048, (m, value) => (m.preprocess.reference.size = value)],
    ['maxInstructionTokens', 4096, (m, value) => (m.maxInstructionTokens = value)],
    ['lutSize', 129, (m, value) => (m.lutSize = value)],
  ])('%s up to %d', (name, most, edit) => {
    expect(
      parsed((m) => {
        edit(m, most);
      }),
    ).not.toThrow();
    expect(
      parsed((m) => {
        edit(m, most + 1);
      }),
    ).toThrow(`${name} is ${most + 1}`);
  });

  test('answers of 8,192 tokens', () => {
    const tokens = (last: number) =>
      parsed((m) => {
        for (const [i, section] of (m.answer.param as { maxTokens: number }[]).entries()) {
          section.maxTokens = [4096, 4000, last][i];
        }
      });
    expect(tokens(96)).not.toThrow();
    expect(tokens(97)).toThrow('it allows 8193');
  });
});
