import { getEventListeners } from 'node:events';
import { BridgeCancelled, BridgeError, Channel, type ChannelOptions, type Parcel, type Port } from '../../src/bridge';
import { type Faults, joinedPorts } from './ports';

const open: Channel[] = [];
afterEach(() => {
  for (const channel of open.splice(0)) channel.close();
});

function channel(port: Port, session: string, options: Partial<ChannelOptions> = {}): Channel {
  const made = new Channel({ port, session, handlers: {}, retryMs: 5, ...options });
  open.push(made);
  return made;
}

/** The bytes turned round and the value given back. */
const echo = async ({ value, bytes = [] }: Parcel): Promise<Parcel> =>
  Promise.resolve({ value, bytes: bytes.map((one) => one.slice().reverse()) });

const BIG = Uint8Array.from({ length: 1_500_001 }, (_, i) => (i * 7) ^ (i >> 9));

/** The numbered messages of a direction are lost, doubled, changed or held back until the next one. */
const lose =
  (share: number): Faults =>
  (message, number) =>
    Math.imul(number + 1, 2654435761) >>> 0 < share * 2 ** 32 ? [] : [message];
const double: Faults = (message) => [message, message];
const cut: Faults = (message, number) => {
  const frame = message as { text: string };
  return [number % 3 === 1 ? { ...frame, text: frame.text.slice(0, frame.text.length >> 1) } : message];
};
function reorder(): Faults {
  let held: unknown;
  return (message, number) => {
    if (number % 3 === 1) {
      held = message;
      return [];
    }
    const both = held === undefined ? [message] : [message, held];
    held = undefined;
    return both;
  };
}

describe.each<[string, Faults | (() => Faults)]>([
  ['good', (message: unknown) => [message]],
  ['that loses a third', lose(0.33)],
  ['that doubles everything', double],
  ['that cuts messages short', cut],
  ['that changes their order', reorder],
])('a wire %s', (_name, fault) => {
  const fresh = () => (fault.length === 0 ? (fault as () => Faults)() : (fault as Faults));

  test('requests with bytes come through whole, in both directions at once', async () => {
    const { host, page } = joinedPorts({ toHost: fresh(), toPage: fresh() });
    const one = channel(host, 'host', { handlers: { echo } });
    const two = channel(page, 'page', { handlers: { echo } });
    const value = { text: 'ünï\u{1f3de}', numbers: [1, 2.5, null] };
    const [there, back] = await Promise.all([
      two.request('echo', { value, bytes: [BIG, new Uint8Array(0), Uint8Array.of(9)] }),
      one.request('echo', { value: 'back', bytes: [BIG.subarray(0, 500)] }),
    ]);
    expect(there.value).toEqual(value);
    expect(there.bytes!.map(({ length }) => length)).toEqual([BIG.length, 0, 1]);
    expect(Buffer.from(there.bytes![0]).equals(Buffer.from(BIG.slice().reverse()))).toBe(true);
    expect(back).toMatchObject({ value: 'back' });
  });

  test('events come once and in order', async () => {
    const seen: unknown[] = [];
    const { host, page } = joinedPorts({ toHost: fresh(), toPage: fresh() });
    channel(page, 'page', { onEvent: (name, value) => seen.push([name, value]) });
    const from = channel(host, 'host');
    for (let i = 0; i < 40; i++) from.event('number', i);
    await until(() => seen.length >= 40);
    await pause(60);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => ['number', i]));
  });
});

// What is sent again must not fall into step with a fault that comes at regular intervals.
test.each([2, 3, 4, 6, 8, 9])('events come through where every %dth message is lost', async (period) => {
  const ends = Array.from({ length: period }, async (_, phase) => {
    const seen: unknown[] = [];
    const { host, page } = joinedPorts({ toPage: (message, number) => (number % period === phase ? [] : [message]) });
    channel(page, 'page', { onEvent: (_name, value) => seen.push(value) });
    const from = channel(host, 'host', { retryMs: 1 });
    for (let i = 0; i < 20; i++) from.event('number', i);
    await until(() => seen.length >= 20);
    return seen;
  });
  for (const seen of await Promise.all(ends)) expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test('progress, errors and their hints travel', async () => {
  const { host, page } = joinedPorts();
  const handlers: ChannelOptions['handlers'] = {
    work: async (_parcel, { progress }) => {
      progress(0.5);
      await pause(1);
      throw Object.assign(new Error('The layer is locked.'), { code: 'LAYER_LOCKED', hint: 'Unlock it.' });
    },
  };
  channel(host, 'host', { handlers });
  const asking = channel(page, 'page');
  const seen: unknown[] = [];
  const thrown = await asking.request('work', { value: 1 }, { onProgress: (value) => seen.push(value) }).catch(same);
  expect(seen).toEqual([0.5]);
  expect(thrown).toBeInstanceOf(BridgeError);
  expect(thrown).toMatchObject({
    code: 'BRIDGE_REMOTE',
    message: 'The layer is locked.',
    hint: 'Unlock it.',
    remote: { code: 'LAYER_LOCKED' },
  });
  expect(await asking.request('play', { value: 1 }).catch(same)).toMatchObject({
    remote: { code: 'BRIDGE_PROTOCOL', message: expect.stringContaining('"play"') as string },
  });
  expect(await asking.request('constructor', { value: 1 }).catch(same)).toMatchObject({ code: 'BRIDGE_REMOTE' });
});

test('a cancelled request that has to be sure tells what became of it on the other side', async () => {
  const wire = joinedPorts();
  let heard = 0;
  const done = async (_: Parcel, { signal }: { signal: AbortSignal }): Promise<Parcel> => {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    heard++;
    return { value: 'done before it could be stopped' };
  };
  const stopped = async (_: Parcel, { signal }: { signal: AbortSignal }): Promise<Parcel> => {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    throw new BridgeCancelled();
  };
  channel(wire.host, 'host', { handlers: { done, stopped } });
  const page = channel(wire.page, 'page');
  const ask = (method: string): Promise<Parcel> => {
    const controller = new AbortController();
    const asked = page.request(method, { value: null }, { signal: controller.signal, awaitOutcome: true });
    setTimeout(() => {
      controller.abort();
    }, 30);
    return asked;
  };
  expect((await ask('done')).value).toBe('done before it could be stopped');
  expect(heard).toBe(1);
  await expect(ask('stopped')).rejects.toBeInstanceOf(BridgeCancelled);
});

test('a cancelled request ends at once, and the other side stops', async () => {
  const { host, page } = joinedPorts();
  let stopped = false;
  const handlers: ChannelOptions['handlers'] = {
    wait: (_parcel, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped = true;
          reject(new BridgeCancelled());
        });
      }),
    echo,
  };
  channel(host, 'host', { handlers });
  const asking = channel(page, 'page');
  const controller = new AbortController();
  const answer = asking.request('wait', { value: 1 }, { signal: controller.signal }).catch(same);
  await pause(20);
  controller.abort();
  expect(await answer).toBeInstanceOf(BridgeCancelled);
  await until(() => stopped);
  expect(await asking.request('wait', { value: 1 }, { signal: controller.signal }).catch(same)).toBeInstanceOf(
    BridgeCancelled,
  );
  expect(await asking.request('echo', { value: 'goes on' })).toMatchObject({ value: 'goes on' });
});

test('no answer for too long: given up, and the other side told; progress counts as a sign of life', async () => {
  const { host, page } = joinedPorts();
  let told = false;
  const handlers: ChannelOptions['handlers'] = {
    silent: (_parcel, { signal }) =>
      new Promise(() => {
        signal.addEventListener('abort', () => (told = true));
      }),
    busy: async (_parcel, { progress }) => {
      for (let i = 0; i < 8; i++) {
        await pause(20);
        progress(i);
      }
      return { value: 'done' };
    },
  };
  channel(host, 'host', { handlers });
  const asking = channel(page, 'page');
  expect(await asking.request('busy', { value: 0 }, { timeoutMs: 100 })).toMatchObject({ value: 'done' });
  const thrown = await asking.request('silent', { value: 0 }, { timeoutMs: 60 }).catch(same);
  expect(thrown).toMatchObject({ code: 'BRIDGE_TIMEOUT', message: expect.stringContaining('0.06 seconds') as string });
  await until(() => told);
});

test('a request that arrives in parts is no sign of life for the one of the same number that was sent', async () => {
  const { host, page } = joinedPorts();
  const order: string[] = [];
  const waiting: unknown[] = [];
  const clock = setInterval(() => {
    if (waiting.length > 0) host.post(waiting.shift());
  }, 20);
  const slow: Port = { ...host, post: (message) => void waiting.push(message) };
  const silent = (): Promise<Parcel> => new Promise(() => undefined);
  const one = channel(slow, 'host', { handlers: { silent }, retryMs: 5000 });
  const arrived = (): Promise<Parcel> => Promise.resolve({ value: order.push('arrived') });
  const two = channel(page, 'page', { handlers: { arrived }, retryMs: 5000 });
  await until(() => one.connected && two.connected);
  const sending = one.request('arrived', { value: 0, bytes: [new Uint8Array(12 * 2 ** 20)] });
  const asked = two.request('silent', { value: 0 }, { timeoutMs: 200 }).catch(() => order.push('given up'));
  await sending;
  await asked;
  clearInterval(clock);
  expect(order).toEqual(['given up', 'arrived']);
});

test('nobody there: the request waits for the handshake and then for its time', async () => {
  const { host, page } = joinedPorts();
  const asking = channel(page, 'page');
  expect(await asking.request('echo', { value: 0 }, { timeoutMs: 40 }).catch(same)).toMatchObject({
    code: 'BRIDGE_TIMEOUT',
  });
  expect(asking.connected).toBe(false);
  const late = asking.request('echo', { value: 'late' });
  await pause(30);
  channel(host, 'host', { handlers: { echo } });
  expect(await late).toMatchObject({ value: 'late' });
});

test('a page that is loaded anew: what it had asked for is stopped, and the new one is served', async () => {
  const { host, page } = joinedPorts();
  let stopped = 0;
  const peers: boolean[] = [];
  const handlers: ChannelOptions['handlers'] = {
    echo,
    wait: (_parcel, { signal }) =>
      new Promise(() => {
        signal.addEventListener('abort', () => stopped++);
      }),
  };
  const serving = channel(host, 'host', { handlers, onPeer: (again) => peers.push(again) });
  const first = channel(page, 'page 1', { handlers: { wait: () => new Promise(() => undefined) } });
  void first.request('wait', { value: 0 }).catch(same);
  const asked = serving.request('wait', { value: 0 }).catch(same);
  await pause(20);
  first.close();
  const second = channel(page, 'page 2');
  expect(await second.request('echo', { value: 2 })).toMatchObject({ value: 2 });
  expect(stopped).toBe(1);
  expect(peers).toEqual([false, true]);
  expect(await asked).toMatchObject({ code: 'BRIDGE_LOST' });
  expect(await first.request('echo', { value: 0 }).catch(same)).toMatchObject({ code: 'BRIDGE_LOST' });
});

test('a signal that is given to many requests keeps nothing of those that were answered', async () => {
  const { host, page } = joinedPorts();
  channel(host, 'host', { handlers: { echo } });
  const asking = channel(page, 'page');
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) await asking.request('echo', { value: i }, { signal });
  await asking.request('unknown', { value: 0 }, { signal }).catch(same);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('messages of others are ignored and counted', async () => {
  const { host, page, foreign } = joinedPorts();
  channel(host, 'host', { handlers: { echo } });
  const asking = channel(page, 'page');
  for (const message of [undefined, null, 'hello', 7, {}, { mark: 'other' }, [1], { mark: 'veraretouch-bridge' }]) {
    foreign(message);
  }
  expect(await asking.request('echo', { value: 1 })).toMatchObject({ value: 1 });
  expect(asking.counts).toMatchObject({ foreign: 7, damaged: 1, protocol: 0 });
});

const same = (error: unknown): unknown => error;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 25_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen in 25 seconds');
    await pause(2);
  }
}
