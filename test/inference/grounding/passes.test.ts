import path from 'node:path';
import { Retoucher, type RgbImage } from '../../../src/inference';
import { AnswerGuide } from '../../../src/inference/grounding/guide';
import type { Backend } from '../../../src/inference/backend';
import { jsonOf, memorySource, readBundle } from '../support/bundles';
import { nodeBackend } from '../support/nodeBackend';

const MODELS = readBundle(path.resolve(__dirname, '../../../models'));
const { hidden } = jsonOf(MODELS, 'bundle.json').dimensions as { readonly hidden: number };

const PHOTO: RgbImage = {
  width: 64,
  height: 64,
  data: Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => 40 + ((i * 37 + (i >> 6) * 11) % 90)),
};

describe('words that can only go on in one way', () => {
  /** Rows of each pass through the decoder. */
  const fed: number[] = [];
  let retoucher: Retoucher;

  beforeAll(async () => {
    const node = nodeBackend();
    const floats: Backend['floats'] = (values, dims) => {
      if (dims.length === 3 && dims[2] === hidden) fed.push(dims[1]);
      return node.floats(values, dims);
    };
    const backend = Object.create(node, { floats: { value: floats } }) as Backend;
    retoucher = await Retoucher.load(memorySource(MODELS), backend, { verify: 'used' });
  }, 120_000);
  afterAll(() => retoucher.dispose());

  test('are fed together', async () => {
    fed.length = 0;
    const checked = await retoucher.auto(PHOTO);
    const passes = fed.length;
    expect(fed.reduce((sum, rows) => sum + rows)).toBeGreaterThan(checked.tokens);
    expect(passes).toBeLessThan(checked.tokens / 2);
    fed.length = 0;
    const free = await retoucher.auto(PHOTO, { unchecked: true });
    // Left to itself, the model is asked for every token of text.
    expect(fed.length).toBeGreaterThan(free.tokens / 2);
  }, 120_000);

  test('are asked for only while their section is open', async () => {
    const accept = jest.spyOn(AnswerGuide.prototype, 'accept');
    const forced = jest.spyOn(AnswerGuide.prototype, 'forced');
    await retoucher.auto(PHOTO);
    const asked = forced.mock.invocationCallOrder;
    const accepted = accept.mock.invocationCallOrder;
    // A token that closes its section is accepted with the section's text.
    const closed = asked.map((order) => {
      const last = accepted.filter((before) => before < order).length - 1;
      return accept.mock.calls[last][2] !== undefined;
    });
    jest.restoreAllMocks();
    expect(asked.length).toBeGreaterThan(20);
    expect(closed).not.toContain(true);
  }, 120_000);

  test('are not told any more to who has cancelled', async () => {
    for (const at of [1, 4, 9]) {
      const controller = new AbortController();
      let told = 0;
      const answer = retoucher.auto(PHOTO, {
        signal: controller.signal,
        onText: () => {
          told++;
          if (told === at) controller.abort();
        },
      });
      await expect(answer).rejects.toMatchObject({ code: 'ABORT_ERR' });
      expect(told).toBe(at);
    }
  }, 120_000);
});
