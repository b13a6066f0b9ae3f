import { checksum } from '../../src/bridge/checksum';
import { Link, type Port } from '../../src/bridge/link';

interface Frame {
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  readonly ack: number;
  readonly text: string;
}

const open: Link[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close();
});

/** A link whose other side is the test itself, frame by frame. */
function linked(retryMs = 60_000) {
  const posted: Frame[] = [];
  const texts: string[] = [];
  const peers: boolean[] = [];
  let deliver: (message: unknown) => void = () => undefined;
  const port: Port = {
    post: (message) => posted.push(message as Frame),
    listen: (listener) => {
      deliver = listener;
      return () => undefined;
    },
  };
  const link = new Link({
    port,
    session: 'here',
    onText: (text) => texts.push(text),
    onPeer: (again) => peers.push(again),
    retryMs,
  });
  open.push(link);
  const frame = (changes: Partial<Frame> & { mark?: string; version?: number; crc?: unknown }): void => {
    const whole = { mark: 'veraretouch-bridge', version: 1, from: 'there', to: 'here', seq: 0, ack: 0, text: '' };
    const { from, to, seq, ack, text, ...rest } = { ...whole, ...changes };
    const crc = checksum(`${from} ${to} ${seq} ${ack} ${text}`);
    deliver({ from, to, seq, ack, text, crc, ...rest });
  };
  return { link, posted, texts, peers, frame };
}

test('what comes more than eight texts ahead is not kept', () => {
  const { texts, frame, posted } = linked();
  frame({ seq: 9, text: 'nine, too early' });
  for (let seq = 8; seq >= 2; seq--) frame({ seq, text: `${seq}` });
  expect(texts).toEqual([]);
  frame({ seq: 1, text: '1' });
  expect(texts).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  expect(posted.at(-1)).toMatchObject({ to: 'there', seq: 0, ack: 8 });
  frame({ seq: 9, text: 'nine' });
  expect(texts.at(-1)).toBe('nine');
});

test('late messages of an earlier life of the other side are foreign', () => {
  const { link, texts, peers, frame } = linked();
  frame({ from: 'first', seq: 1, text: 'of the first' });
  frame({ from: 'second', seq: 1, text: 'of the second' });
  expect(peers).toEqual([false, true]);
  frame({ from: 'first', seq: 2, text: 'late' });
  frame({ from: 'second', seq: 2, text: 'goes on' });
  expect(texts).toEqual(['of the first', 'of the second', 'goes on']);
  expect(peers).toEqual([false, true]);
  expect(link.counts).toEqual({ foreign: 1, damaged: 0, doubled: 0, resent: 0 });
});

test('a thousand earlier lives are remembered, no more', () => {
  const { link, peers, frame } = linked();
  for (let life = 0; life <= 1001; life++) frame({ from: `life ${life}` });
  expect(peers).toHaveLength(1002);
  frame({ from: 'life 1' });
  expect([peers.length, link.counts.foreign]).toEqual([1002, 1]);
  frame({ from: 'life 0' });
  expect([peers.length, link.counts.foreign]).toEqual([1003, 1]);
});

test('at most eight texts are under way unconfirmed; a confirmation makes room', () => {
  const { link, frame, posted } = linked();
  for (let i = 1; i <= 10; i++) link.send(`${i}`);
  const sent = (): number[] => posted.filter(({ seq }) => seq > 0).map(({ seq }) => seq);
  expect(sent()).toEqual([]);
  frame({});
  expect(sent()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  frame({ ack: 1 });
  expect(sent()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  frame({ ack: 9 });
  expect(sent().at(-1)).toBe(10);
});

test('what was meant for an earlier life of this side only says that the other one is there', () => {
  const { link, texts, frame, posted } = linked();
  link.send('hello');
  frame({ to: 'another', seq: 1, ack: 1, text: 'not for here' });
  expect(texts).toEqual([]);
  expect(link.connected).toBe(true);
  expect(posted.map(({ to, seq, text }) => [to, seq, text])).toEqual([
    ['', 0, ''],
    ['there', 0, ''],
    ['there', 1, 'hello'],
  ]);
});

test.each([
  ['another version', { version: 2 }],
  ['no sender', { from: '' }],
  ['this side as the sender', { from: 'here' }],
  ['a sender whose name has 201 characters', { from: 'x'.repeat(201) }],
  ['half a number', { seq: 0.5 }],
  ['a number below nothing', { seq: -1 }],
  ['a confirmation of half a text', { ack: 0.5 }],
  ['a confirmation below nothing', { ack: -1 }],
  ['another sum', { crc: 7 }],
  ['no sum', { crc: undefined }],
])('a frame with %s is damaged, and nobody is met', (_what, changes) => {
  const { link, texts, frame } = linked();
  frame({ seq: 1, text: 'hello', ...changes });
  expect(texts).toEqual([]);
  expect(link.connected).toBe(false);
  expect(link.counts).toEqual({ foreign: 0, damaged: 1, doubled: 0, resent: 0 });
});

test('the longest name of a sender is taken; text twice is counted and given once', () => {
  const { link, texts, frame } = linked();
  frame({ from: 'x'.repeat(200), seq: 1, text: 'once' });
  frame({ from: 'x'.repeat(200), seq: 1, text: 'once' });
  frame({ from: 'x'.repeat(200), seq: 3, text: 'three' });
  frame({ from: 'x'.repeat(200), seq: 3, text: 'three' });
  expect(texts).toEqual(['once']);
  expect(link.counts.doubled).toBe(2);
});

test('a closed link is silent', () => {
  const { link, texts, frame, posted } = linked();
  frame({});
  link.close();
  const before = posted.length;
  link.send('hello');
  frame({ seq: 1, text: 'hello' });
  expect([texts.length, posted.length]).toEqual([0, before]);
});

describe('what is not confirmed is sent again', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('after a wait that doubles up to sixteen times itself, and is short again after a confirmation', () => {
    const { link, posted, frame } = linked(100);
    frame({});
    link.send('one');
    link.send('two');
    const resent = (): number => link.counts.resent;
    for (const [after, expected] of [
      [99, 0],
      [1, 2],
      [199, 2],
      [1, 4],
      [400, 6],
      [800, 8],
      [1599, 8],
      [1, 10],
      [1600, 12],
    ] as const) {
      jest.advanceTimersByTime(after);
      expect([after, resent()]).toEqual([after, expected]);
    }
    frame({ ack: 1 });
    // The wait that had begun runs out, then they are short.
    jest.advanceTimersByTime(1600);
    const before = resent();
    jest.advanceTimersByTime(200);
    expect(resent()).toBe(before + 1);
    expect(posted.at(-1)).toMatchObject({ seq: 2, text: 'two' });
    frame({ ack: 2 });
    const done = posted.length;
    jest.advanceTimersByTime(60_000);
    expect(posted).toHaveLength(done);
  });

  test('a wait that a confirmation has ended does not cut the next one short', () => {
    const { link, frame } = linked(100);
    frame({});
    link.send('one');
    jest.advanceTimersByTime(60);
    frame({ ack: 1 });
    link.send('two');
    jest.advanceTimersByTime(99);
    expect(link.counts.resent).toBe(0);
    jest.advanceTimersByTime(1);
    expect(link.counts.resent).toBe(1);
  });

  test('nobody there: the greeting is said again, and again', () => {
    const { posted, frame } = linked(100);
    expect(posted).toHaveLength(1);
    jest.advanceTimersByTime(100);
    jest.advanceTimersByTime(200);
    expect(posted.map(({ to, seq }) => [to, seq])).toEqual([
      ['', 0],
      ['', 0],
      ['', 0],
    ]);
    frame({});
    const met = posted.length;
    jest.advanceTimersByTime(60_000);
    expect(posted).toHaveLength(met);
  });

  test('to another life of the other side nothing of what the earlier one was sent', () => {
    const { link, posted, frame } = linked(100);
    frame({ from: 'first' });
    link.send('for the first');
    frame({ from: 'second' });
    const before = posted.length;
    jest.advanceTimersByTime(60_000);
    expect(posted).toHaveLength(before);
    link.send('for the second');
    expect(posted.at(-1)).toMatchObject({ to: 'second', seq: 1, ack: 0, text: 'for the second' });
  });
});
