import { Store } from '../../src/panel/store';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('changes of one task are told once, with the state they lead to', async () => {
  const store = new Store({ a: 1, b: 1 });
  const told: object[] = [];
  store.listen((state) => told.push(state));
  store.set({ a: 2 });
  store.set({ b: 3 });
  expect(store.get()).toEqual({ a: 2, b: 3 });
  await turn();
  expect(told).toEqual([
    { a: 1, b: 1 },
    { a: 2, b: 3 },
  ]);
});

test('what changes nothing is told to nobody', async () => {
  const list: number[] = [];
  const store = new Store({ list, missing: NaN });
  const told = jest.fn();
  store.listen(told);
  store.set({ list, missing: NaN });
  await turn();
  expect(told).toHaveBeenCalledTimes(1);
});

test('a state that was given out never changes', () => {
  const store = new Store({ a: 1 });
  const before = store.get();
  store.set({ a: 2 });
  expect(before).toEqual({ a: 1 });
});

test('a listener may set, and may leave, while it is told', async () => {
  const store = new Store({ count: 0, last: '' });
  const stop = store.listen(({ count }) => {
    if (count === 1) store.set({ last: 'heard' });
    if (count === 2) stop();
  });
  store.set({ count: 1 });
  await turn();
  expect(store.get().last).toBe('heard');
  store.set({ count: 2 });
  await turn();
  store.set({ count: 1, last: '' });
  await turn();
  expect(store.get().last).toBe('');
});
