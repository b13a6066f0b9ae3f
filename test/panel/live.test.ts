import { Lut3D } from '../../src/color';
import { LiveLut, type LiveResult } from '../../src/panel/live';
import { blended } from '../../src/panel/painter';
import { type Engine } from '../../src/panel/worker/engine';

/* The LUT that follows the sliders. The engine answers when the test lets it. */

type Call = { name: string; input: { size?: number; sliders?: object }; answer(): void };

function rig() {
  const calls: Call[] = [];
  const results: LiveResult[] = [];
  const errors: unknown[] = [];
  let failing: Error | undefined;
  const call = (name: string, input: Call['input']): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { size = 0 } = input;
      const value = name === 'sliders' ? new Float32Array(3) : { size, data: Lut3D.identity(Math.max(2, size)).data };
      calls.push({
        name,
        input,
        answer: () => {
          if (failing) reject(failing);
          else resolve(value);
        },
      });
    });
  const live = new LiveLut(
    { call } as unknown as Pick<Engine, 'call'>,
    (result) => results.push(result),
    (thrown) => errors.push(thrown),
  );
  const answer = async (): Promise<void> => {
    calls.at(-1)!.answer();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { live, calls, results, errors, answer, fail: (error?: Error) => (failing = error) };
}

const LATENTS = new Float32Array(24);

test('while one is baked, only the newest wish waits', async () => {
  const { live, calls, results, answer } = rig();
  for (const light of [0.1, 0.2, 0.3, 0.4]) live.update({ latents: LATENTS, strength: { light } });
  expect(calls).toHaveLength(1);
  await answer();
  expect(calls).toHaveLength(2);
  await answer();
  expect(results.map(({ wanted }) => wanted.strength.light)).toEqual([0.1, 0.4]);
  live.stop();
});

test('sliders become latents first, which come with the result', async () => {
  const { live, calls, results, answer } = rig();
  live.update({ sliders: { Exposure2012: 5 }, strength: {} });
  await answer();
  expect(calls.map(({ name }) => name)).toEqual(['sliders', 'bake']);
  await answer();
  expect(results[0].latents).toHaveLength(3);
  live.stop();
});

test('when the sliders rest, the full grid is baked', async () => {
  const { live, calls, results, answer } = rig();
  live.update({ latents: LATENTS, strength: {} });
  await answer();
  expect(results[0].lut.size).toBeLessThan(33);
  while (calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await answer();
  expect(results[1].lut.size).toBe(33);
});

test('what was stopped is not heard of', async () => {
  const { live, results, answer } = rig();
  live.update({ latents: LATENTS, strength: {} });
  live.stop();
  await answer();
  expect(results).toEqual([]);
});

test('a failure is told, and the next wish works', async () => {
  const { live, results, errors, answer, fail } = rig();
  fail(new Error('no device'));
  live.update({ latents: LATENTS, strength: {} });
  await answer();
  expect(errors).toHaveLength(1);
  fail();
  live.update({ latents: LATENTS, strength: {} });
  await answer();
  expect(results).toHaveLength(1);
  live.stop();
});

test('the overall amount is the LUT mixed with the picture as it was', () => {
  const lut = Lut3D.bake(5, (r, g, b) => [1 - r, g, b]);
  const pixels = Uint8Array.of(200, 60, 10);
  expect([...blended(lut, 0).apply(pixels.slice(), 3)]).toEqual([200, 60, 10]);
  expect([...blended(lut, 0.5).apply(pixels.slice(), 3)]).toEqual([128, 60, 10]);
  expect(blended(lut, 1)).toBe(lut);
});
