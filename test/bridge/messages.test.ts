import { parse, tooMuch, wire } from '../../src/bridge/messages';

const GOOD = [
  { kind: 'request', id: 1, method: 'm', value: null, bytes: [] },
  { kind: 'request', id: 2 ** 53 - 1, method: '', bytes: [0, 3] },
  { kind: 'result', id: 1, value: { a: 1 }, bytes: [7] },
  { kind: 'part', id: 1, of: 'request', data: '' },
  { kind: 'part', id: 1, of: 'result', data: 'AAAA' },
  { kind: 'error', id: 1, error: { code: 'C', message: 'm' } },
  { kind: 'progress', id: 1, value: 0.5 },
  { kind: 'cancel', id: 1 },
  { kind: 'event', name: 'theme', value: 'dark' },
];

test.each(GOOD)('%j is a message', (message) => {
  expect(parse(JSON.stringify(message))).toEqual(message);
});

test.each([
  '',
  '{',
  'null',
  '7',
  '"request"',
  '[]',
  '{}',
  ...[
    { kind: 'other', id: 1, method: 'm', bytes: [], of: 'request', data: '', name: 'n' },
    ...[0, -1, 0.5, '1', null, 2 ** 53].flatMap((id) =>
      GOOD.filter(({ kind }) => kind !== 'event').map((message) => ({ ...message, id })),
    ),
    { kind: 'request', id: 1, method: 7, bytes: [] },
    ...['request', 'result'].flatMap((kind) =>
      [undefined, 'none', {}, [-1], [0.5], ['1'], [0, 2 ** 53]].map((bytes) => ({ kind, id: 1, method: 'm', bytes })),
    ),
    { kind: 'part', id: 1, of: 'event', data: '' },
    { kind: 'part', id: 1, data: '' },
    { kind: 'part', id: 1, of: 'request', data: 7 },
    { kind: 'error', id: 1 },
    { kind: 'error', id: 1, error: null },
    { kind: 'error', id: 1, error: { code: 7, message: 'm' } },
    { kind: 'error', id: 1, error: { code: 'C' } },
    { kind: 'event', id: 1 },
    { kind: 'event', name: 7 },
  ].map((message) => JSON.stringify(message)),
])('%s is none', (text) => {
  expect(parse(text)).toBeUndefined();
});

test('what is too much ever to travel', () => {
  expect(tooMuch({ bytes: [2 ** 28] })).toBeUndefined();
  expect(tooMuch({ bytes: [2 ** 28, 1] })).toContain('268435457 bytes');
  expect(tooMuch({ bytes: [] }, 'x'.repeat(2 ** 23))).toBeUndefined();
  expect(tooMuch({ bytes: [] }, 'x'.repeat(2 ** 23 + 1))).toContain('8388609 characters');
  expect(parse(`"${'x'.repeat(2 ** 23)}"`)).toBeUndefined();
  const longest = JSON.stringify({ kind: 'cancel', id: 1 }).padEnd(2 ** 23);
  expect(parse(longest)).toEqual({ kind: 'cancel', id: 1 });
  expect(parse(`${longest} `)).toBeUndefined();
});

test('whatever is thrown has a code and words', () => {
  expect(wire(Object.assign(new Error('m'), { code: 'C', hint: 'h' }))).toEqual({ code: 'C', message: 'm', hint: 'h' });
  expect(wire(Object.assign(new Error('m'), { code: 7, hint: 7 }))).toEqual({ code: 'UNEXPECTED', message: 'm' });
  expect(wire('text')).toEqual({ code: 'UNEXPECTED', message: 'text' });
  expect(wire({ message: 7, code: 'C' })).toEqual({ code: 'C', message: '[object Object]' });
  expect(wire(undefined)).toEqual({ code: 'UNEXPECTED', message: 'undefined' });
});
