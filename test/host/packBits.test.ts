import { packChannel, packRow } from '../../src/host/files/packBits';

/** PackBits read back by its definition, independent of the writer. */
function unpack(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let i = 0; i < bytes.length;) {
    const head = bytes[i++];
    if (head < 128) for (let k = 0; k <= head; k++) values.push(bytes[i++]);
    else if (head > 128) {
      for (let k = 0; k < 257 - head; k++) values.push(bytes[i]);
      i++;
    }
  }
  return values;
}

function pack(row: number[]): Uint8Array {
  const out = new Uint8Array(row.length + Math.ceil(row.length / 128));
  return out.subarray(0, packRow(Uint8Array.from(row), out, 0));
}

test.each([
  ['one value', [7]],
  ['two equal values', [7, 7]],
  ['three equal values', [7, 7, 7]],
  ['a run of 128', new Array<number>(128).fill(9)],
  ['a run of 129', new Array<number>(129).fill(9)],
  ['literals only, 129 of them', Array.from({ length: 129 }, (_, i) => i)],
  ['pairs, which are no runs', [1, 1, 2, 2, 3, 3, 4, 4, 5]],
  ['a run behind literals at the block limit', [...Array.from({ length: 127 }, (_, i) => i), 5, 5, 5, 5]],
])('%s come back', (_name, row) => {
  expect(unpack(pack(row))).toEqual(row);
});

test('random rows of runs and noise come back and never outgrow the bound', () => {
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let trial = 0; trial < 300; trial++) {
    const row: number[] = [];
    while (row.length < 1 + trial * 3) {
      const value = Math.floor(random() * 256);
      const times = random() < 0.5 ? 1 : Math.ceil(random() * 300);
      for (let k = 0; k < times; k++) row.push(value);
    }
    const packed = pack(row);
    expect(unpack(packed)).toEqual(row);
    expect(packed.length).toBeLessThanOrEqual(row.length + Math.ceil(row.length / 128));
  }
});

test('a run is short, and the byte counts of a channel say where its rows begin', async () => {
  const fill = (row: Uint8Array, y: number): void => {
    row.fill(y);
    if (y === 1) row.set([1, 2, 3, 4]);
  };
  const { counts, rows } = await packChannel({ width: 400, height: 3, fill });
  const lengths = [0, 1, 2].map((y) => counts[2 * y] * 256 + counts[2 * y + 1]);
  expect(lengths[0]).toBe(8);
  expect(lengths.reduce((a, b) => a + b)).toBe(rows.length);
  const second = unpack(rows.subarray(lengths[0], lengths[0] + lengths[1]));
  expect(second.slice(0, 5)).toEqual([1, 2, 3, 4, 1]);
  expect(second).toHaveLength(400);
});

test('a channel of a very large picture asks for its own size of memory, and 1/128 more', async () => {
  const [width, height] = [30_000, 1000];
  const { rows } = await packChannel({ width, height, fill: () => undefined });
  expect(rows.buffer.byteLength).toBeLessThan(width * height * 1.01);
});

test('packing stops when it is told to', async () => {
  const controller = new AbortController();
  const fill = (): void => {
    controller.abort();
  };
  await expect(packChannel({ width: 2000, height: 5000, fill }, controller.signal)).rejects.toMatchObject({
    code: 'ABORT_ERR',
  });
});
