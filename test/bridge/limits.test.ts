import { BridgeError, Channel, type ChannelOptions, type Parcel } from '../../src/bridge';
import { Link, type Port } from '../../src/bridge/link';
import { joinedPorts } from './ports';

const MEBIBYTE = 2 ** 20;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function channel(port: Port, session: string, handlers: ChannelOptions['handlers'] = {}): Channel {
  const made = new Channel({ port, session, handlers, retryMs: 5 });
  open.push(made);
  return made;
}

type Said = Readonly<Record<string, unknown>>;

/** A side that says over a sound link whatever a test makes it say, and keeps what it is told. */
class Rogue {
  readonly heard: Said[] = [];
  private readonly link: Link;

  constructor(port: Port, session = 'rogue') {
    this.link = new Link({ port, session, onText: (text) => this.heard.push(JSON.parse(text) as Said), retryMs: 5 });
    open.push(this.link);
  }

  close(): void {
    this.link.close();
  }

  say(message: Said): void {
    this.link.send(JSON.stringify(message));
  }

  request(id: number, method: string, bytes: readonly number[] = [], value: unknown = null): void {
    this.say({ kind: 'request', id, method, value, bytes });
  }

  part(id: number, data: Uint8Array, of = 'request'): void {
    this.say({ kind: 'part', id, of, data: Buffer.from(data).toString('base64') });
  }

  /** The answer to a request of this side. */
  async answer(id: number): Promise<Said> {
    const found = (): Said | undefined => this.heard.find((said) => said.id === id && said.kind !== 'progress');
    await until(() => found() !== undefined);
    return found()!;
  }
}

const echo = ({ value, bytes = [] }: Parcel): Promise<Parcel> => Promise.resolve({ value, bytes });
const never = (): Promise<Parcel> => new Promise(() => undefined);
/** Works until it is stopped. */
const untilStopped: ChannelOptions['handlers'][string] = (_parcel, { signal }) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve({ value: 'stopped' });
    });
  });

describe('what one side may hold open on the other', () => {
  test('64 requests: one more is refused, and taken once another is done', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { untilStopped, echo });
    const rogue = new Rogue(wire.page);
    for (let id = 1; id <= 65; id++) rogue.request(id, 'untilStopped');
    expect(await rogue.answer(65)).toMatchObject({
      kind: 'error',
      error: { code: 'BRIDGE_BUSY', message: expect.stringContaining('64 requests') as string },
    });
    rogue.say({ kind: 'cancel', id: 7 });
    expect(await rogue.answer(7)).toMatchObject({ kind: 'result', value: 'stopped' });
    rogue.request(66, 'echo', [], 'goes on');
    expect(await rogue.answer(66)).toMatchObject({ kind: 'result', value: 'goes on' });
    expect(rogue.heard.map(({ id }) => id).sort()).toEqual([65, 66, 7]);
  });

  test('256 MiB in all that are still coming: what would be more is refused, and taken once there is room', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'echo', [100 * MEBIBYTE, 56 * MEBIBYTE]);
    rogue.request(2, 'echo', [100 * MEBIBYTE]);
    rogue.request(3, 'echo', [1]);
    rogue.part(3, Uint8Array.of(9));
    expect(await rogue.answer(3)).toMatchObject({
      kind: 'error',
      error: { code: 'BRIDGE_BUSY', message: expect.stringContaining('256 MiB') as string },
    });
    rogue.say({ kind: 'cancel', id: 1 });
    expect(await rogue.answer(1)).toMatchObject({ kind: 'error', error: { code: 'ABORT_ERR' } });
    rogue.request(4, 'echo', [1]);
    rogue.part(4, Uint8Array.of(9));
    expect(await rogue.answer(4)).toMatchObject({ kind: 'result', bytes: [1] });
  });

  test('requests whose bytes are still coming count among the 64', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    for (let id = 1; id <= 65; id++) rogue.request(id, 'echo', [1]);
    expect(await rogue.answer(65)).toMatchObject({ error: { code: 'BRIDGE_BUSY' } });
    rogue.part(1, Uint8Array.of(9));
    expect(await rogue.answer(1)).toMatchObject({ kind: 'result' });
  });

  test('more than 256 MiB in one request is refused for good', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'echo', [256 * MEBIBYTE, 1]);
    expect(await rogue.answer(1)).toMatchObject({ error: { code: 'BRIDGE_PROTOCOL' } });
    rogue.request(2, 'echo', [256 * MEBIBYTE]);
    rogue.request(3, 'echo', [], 'goes on');
    expect(await rogue.answer(3)).toMatchObject({ value: 'goes on' });
    expect(rogue.heard).toHaveLength(2);
  });

  test('bytes of a result that nobody asked for are not held', async () => {
    const wire = joinedPorts();
    const host = channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    rogue.say({ kind: 'result', id: 4, value: null, bytes: [200 * MEBIBYTE] });
    rogue.request(1, 'echo', [200 * MEBIBYTE]);
    rogue.request(2, 'echo', [], 'goes on');
    expect(await rogue.answer(2)).toMatchObject({ value: 'goes on' });
    // The first is still waited for, so it had room.
    expect(rogue.heard).toHaveLength(1);
    expect(host.counts.protocol).toBe(0);
  });

  test('a result larger than is ever taken ends the wait for it', async () => {
    const wire = joinedPorts();
    const host = channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    const asked = host.request('picture', { value: null });
    await until(() => rogue.heard.length > 0);
    rogue.say({ kind: 'result', id: 1, value: null, bytes: [2 ** 30] });
    await expect(asked).rejects.toMatchObject({
      code: 'BRIDGE_PROTOCOL',
      message: expect.stringContaining('1073741824 bytes') as string,
    });
    expect(host.counts.protocol).toBe(1);
  });

  test('a number that is in use is not given twice', async () => {
    const wire = joinedPorts();
    let stopped = 0;
    const count: ChannelOptions['handlers'][string] = async (parcel, context) => {
      const result = await untilStopped(parcel, context);
      stopped++;
      return result;
    };
    const host = channel(wire.host, 'host', { count, echo });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'count');
    rogue.request(1, 'count');
    rogue.request(2, 'echo', [3]);
    rogue.request(2, 'echo', [3]);
    await until(() => host.counts.protocol === 2);
    rogue.part(2, Uint8Array.of(7, 8, 9));
    expect(await rogue.answer(2)).toMatchObject({ kind: 'result' });
    rogue.say({ kind: 'cancel', id: 1 });
    expect(await rogue.answer(1)).toMatchObject({ value: 'stopped' });
    expect(stopped).toBe(1);
  });

  test('a message announces at most 1,024 arrays', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'echo', new Array<number>(1024).fill(0));
    rogue.request(2, 'echo', new Array<number>(1025).fill(0));
    expect(await rogue.answer(1)).toMatchObject({ kind: 'result' });
    expect(await rogue.answer(2)).toMatchObject({ kind: 'error', error: { code: 'BRIDGE_PROTOCOL' } });
  });

  test('a text of more than 8 Mi characters is not read, and the next one is', async () => {
    const wire = joinedPorts();
    const host = channel(wire.host, 'host', { echo });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'echo', [], 'x'.repeat(8 * MEBIBYTE));
    rogue.request(2, 'echo', [], 'goes on');
    expect(await rogue.answer(2)).toMatchObject({ value: 'goes on' });
    expect(rogue.heard).toHaveLength(1);
    expect(host.counts.protocol).toBe(1);
  });
});

describe('a side keeps these bounds itself', () => {
  test('its 65th request fails at once, and the next works once there is room', async () => {
    const wire = joinedPorts();
    channel(wire.host, 'host', { never, echo });
    const page = channel(wire.page, 'page');
    const controller = new AbortController();
    const { signal } = controller;
    const asked = Array.from({ length: 64 }, () => page.request('never', { value: null }, { signal }).catch(same));
    const refused = page.request('echo', { value: 1 });
    await expect(refused).rejects.toBeInstanceOf(BridgeError);
    await expect(refused).rejects.toMatchObject({ code: 'BRIDGE_BUSY' });
    controller.abort();
    await Promise.all(asked);
    // The other side's handlers pay no heed to their signals: there they are still open.
    await expect(page.request('echo', { value: 1 })).rejects.toMatchObject({ remote: { code: 'BRIDGE_BUSY' } });
  });

  test('what is too much for one message is not sent: a request fails at once, a result becomes an error', async () => {
    const wire = joinedPorts();
    const huge: Parcel = { value: 0, bytes: [{ length: 2 ** 30 } as Uint8Array] };
    const long: Parcel = { value: 'x'.repeat(8 * MEBIBYTE) };
    const sent: number[] = [];
    const counted: Port = {
      listen: (listener) => wire.page.listen(listener),
      post: (message) => {
        sent.push(JSON.stringify(message).length);
        wire.page.post(message);
      },
    };
    channel(wire.host, 'host', { huge: async () => huge, long: async () => long, echo });
    const page = channel(counted, 'page');
    for (const [parcel, why] of [
      [huge, '1073741824 bytes'],
      [long, 'characters'],
      [{ value: null, bytes: new Array<Uint8Array>(1025).fill(new Uint8Array(0)) }, '1025 arrays'],
    ] as const) {
      await expect(page.request('echo', parcel)).rejects.toMatchObject({
        code: 'BRIDGE_PROTOCOL',
        message: expect.stringContaining(why) as string,
      });
    }
    expect(Math.max(...sent)).toBeLessThan(1000);
    for (const method of ['huge', 'long']) {
      await expect(page.request(method, { value: null })).rejects.toMatchObject({
        remote: { code: 'BRIDGE_PROTOCOL' },
      });
    }
    expect(await page.request('echo', { value: 'goes on' })).toMatchObject({ value: 'goes on' });
  });
});

test('what was asked for before a reload does not answer what is asked after it', async () => {
  const wire = joinedPorts();
  let finish: (parcel: Parcel) => void = () => undefined;
  const deaf = (): Promise<Parcel> => new Promise((resolve) => (finish = resolve));
  channel(wire.host, 'host', { deaf, untilStopped });
  const first = new Rogue(wire.page, 'first');
  first.request(1, 'deaf');
  await until(() => finish.length > 0);
  first.close();
  const second = new Rogue(wire.page, 'second');
  second.request(1, 'untilStopped');
  second.request(2, 'nothing of the kind');
  await second.answer(2);
  finish({ value: 'of the first' });
  second.request(3, 'nothing of the kind');
  await second.answer(3);
  expect(second.heard.map(({ id }) => id)).toEqual([2, 3]);
  second.say({ kind: 'cancel', id: 1 });
  expect(await second.answer(1)).toMatchObject({ value: 'stopped' });
});

test('news of what nobody asked for is passed over', async () => {
  const wire = joinedPorts();
  const host = channel(wire.host, 'host', { echo });
  const rogue = new Rogue(wire.page);
  for (const kind of ['progress', 'cancel', 'result']) rogue.say({ kind, id: 99, value: null, bytes: [] });
  rogue.say({ kind: 'error', id: 99, error: { code: 'C', message: 'm' } });
  rogue.say({ kind: 'part', id: 99, of: 'result', data: 'AAAA' });
  rogue.say({ kind: 'event', name: 'unheard', value: null });
  rogue.request(1, 'echo', [], 'goes on');
  expect(await rogue.answer(1)).toMatchObject({ value: 'goes on' });
  expect(rogue.heard).toHaveLength(1);
  expect(host.counts.protocol).toBe(0);
});

describe('a part', () => {
  test.each([
    ['that reaches into the next array', [2, 2], [Uint8Array.of(1, 2, 3)]],
    ['that is more than was announced', [2], [Uint8Array.of(1, 2, 3)]],
    ['of nothing', [2], [new Uint8Array(0)]],
    ['that reaches into the next array, later', [2, 2], [Uint8Array.of(1), Uint8Array.of(2, 3)]],
  ])('%s ends the request with an error', async (_what, lengths, parts) => {
    const wire = joinedPorts();
    const seen: Parcel[] = [];
    const keep = (parcel: Parcel): Promise<Parcel> => {
      seen.push(parcel);
      return Promise.resolve({ value: null });
    };
    const host = channel(wire.host, 'host', { keep });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'keep', lengths);
    for (const part of parts) rogue.part(1, part);
    expect(await rogue.answer(1)).toMatchObject({ kind: 'error', error: { code: 'BRIDGE_PROTOCOL' } });
    expect(seen).toEqual([]);
    expect(host.counts.protocol).toBe(1);
  });

  test('that is no base64 of a result ends the wait for it', async () => {
    const wire = joinedPorts();
    const host = channel(wire.host, 'host');
    const rogue = new Rogue(wire.page);
    const asked = host.request('picture', { value: null });
    await until(() => rogue.heard.length > 0);
    rogue.say({ kind: 'result', id: 1, value: null, bytes: [3] });
    rogue.say({ kind: 'part', id: 1, of: 'result', data: '****' });
    await expect(asked).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL' });
  });

  test('goes into the array that it belongs to, empty ones between', async () => {
    const wire = joinedPorts();
    let seen: number[][] = [];
    const keep = ({ bytes = [] }: Parcel): Promise<Parcel> => {
      seen = bytes.map((one) => [...one]);
      return Promise.resolve({ value: null });
    };
    channel(wire.host, 'host', { keep });
    const rogue = new Rogue(wire.page);
    rogue.request(1, 'keep', [0, 3, 0, 1, 0]);
    for (const part of [[1, 2], [3], [4]]) rogue.part(1, Uint8Array.from(part));
    await rogue.answer(1);
    expect(seen).toEqual([[], [1, 2, 3], [], [4], []]);
  });
});

const same = (error: unknown): unknown => error;

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen in 20 seconds');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
