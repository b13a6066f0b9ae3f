import path from 'node:path';
import { LutWorkers } from '../../src/host/files/lutWorkers';
import { Lut3D } from '../../src/color/lut3d';

const PROGRAM = path.resolve(__dirname, '../../scripts/lib/lut-worker.cjs');
const lut = Lut3D.bake(17, (r, g, b) => [r ** 0.8, (g + b) / 2, 1 - b]);
/** More than a few bands, and not a whole number of them. */
const COUNT = 1_100_003;

jest.setTimeout(120000);

async function check(workers: LutWorkers, data: Uint8Array | Uint16Array, channels: 3 | 4): Promise<void> {
  const expected = lut.apply(data.slice(), channels);
  await workers.apply({ data, channels, width: data.length / channels, height: 1 }, lut);
  expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(expected.buffer))).toBe(0);
}

describe('two threads', () => {
  let workers: LutWorkers;
  beforeAll(() => {
    workers = new LutWorkers(2, PROGRAM);
  });
  afterAll(() => workers.close());

  test('give the same pixels as one, at both depths, one photo after another', async () => {
    await check(
      workers,
      new Uint8Array(3 * COUNT).map((_, i) => i * 31),
      3,
    );
    await check(
      workers,
      new Uint16Array(4 * COUNT).map((_, i) => i * 31),
      4,
    );
    await check(
      workers,
      new Uint8Array(12).map((_, i) => i * 20),
      4,
    );
    await check(workers, new Uint8Array(0), 3);
  });

  test('stop when the signal fires, and work for the next photo', async () => {
    const controller = new AbortController();
    const data = new Uint8Array(3 * 8 * COUNT);
    const work = workers.apply({ data, channels: 3, width: 8 * COUNT, height: 1 }, lut, controller.signal);
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: 'ABORT_ERR' });
    // This LUT makes 255 of blue: the last pixel was not reached.
    expect(data.at(-1)).toBe(0);
    await check(workers, new Uint8Array(3 * COUNT), 3);
  });

  test('a signal that has fired stops it before anything is done', async () => {
    const data = new Uint8Array(3 * COUNT);
    const work = workers.apply({ data, channels: 3, width: COUNT, height: 1 }, lut, AbortSignal.abort());
    await expect(work).rejects.toMatchObject({ code: 'ABORT_ERR' });
    expect(data.every((value) => value === 0)).toBe(true);
  });
});

test('threads that do not start leave the work to the caller', async () => {
  const workers = new LutWorkers(2, path.join(__dirname, 'no-such-program.cjs'));
  await check(
    workers,
    new Uint8Array(3 * COUNT).map((_, i) => i * 31),
    3,
  );
  await check(
    workers,
    new Uint8Array(3 * COUNT).map((_, i) => i * 17),
    3,
  );
  await workers.close();
});
