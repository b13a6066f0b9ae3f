import { Sayable, type SayableParts } from '../../../src/inference/grounding/sayable';

const NONE: ReadonlySet<string> = new Set();

function sayable(parts: Partial<SayableParts> = {}): Sayable {
  return new Sayable({
    clauses: new Map([
      ['warm the picture slightly', 'temperature'],
      ['gently warm the photo', 'temperature'],
      ['reduce the saturation a lot', 'saturation'],
    ]),
    sentences: new Map([['leave the overall color as is', NONE]]),
    most: 2,
    joints: [' and ', ', then ', ', '],
    ...parts,
  });
}

describe('whole texts', () => {
  test.each([
    'Warm the picture slightly',
    'Warm the picture slightly, then reduce the saturation a lot',
    'Reduce the saturation a lot, gently warm the photo',
    'Leave the overall color as is',
  ])('%s', (text) => {
    expect(sayable().complete(text)).toBe(true);
    for (let end = 0; end < text.length; end++)
      expect([text.slice(0, end), sayable().fits(text.slice(0, end))]).toEqual([text.slice(0, end), true]);
  });

  test.each([
    ['nothing', ''],
    ['no capital', 'warm the picture slightly'],
    ['half a clause', 'Warm the picture'],
    ['a joint at the end', 'Warm the picture slightly and'],
    ['the same axis twice', 'Warm the picture slightly and gently warm the photo'],
    ['a sentence behind a clause', 'Warm the picture slightly and leave the overall color as is'],
    ['something else', 'Cool the picture slightly'],
  ])('not %s', (_what, text) => {
    expect(sayable().complete(text)).toBe(false);
  });
});

describe('texts that go on', () => {
  test('end in a whole word', () => {
    const noticeably = sayable({ clauses: new Map([['noticeably warm the photo', 'temperature']]) });
    expect(noticeably.fits('No')).toBe(true);
    expect(noticeably.goesOn('No')).toBe(false);
    expect(noticeably.goesOn('Noticeably')).toBe(true);
    const signs = sayable({ sentences: new Map([['this look asks for less: too dark; near black', NONE]]) });
    expect(signs.goesOn('This look asks for less')).toBe(true);
    expect(signs.goesOn('This look asks for less: too dark')).toBe(true);
    expect(noticeably.goesOn('Noticeably warm the photo')).toBe(true);
  });

  test('never begin an axis anew, or one clause too many', () => {
    expect(sayable().goesOn('Warm the picture slightly,')).toBe(true);
    expect(sayable().goesOn('Warm the picture slightly, then')).toBe(true);
    expect(sayable().goesOn('Warm the picture slightly and gently')).toBe(false);
    expect(sayable().goesOn('Warm the picture slightly and reduce the saturation a lot,')).toBe(false);
    expect(sayable({ most: 1 }).goesOn('Warm the picture slightly,')).toBe(false);
    expect(sayable({ clauses: new Map([['warm it', 'temperature']]) }).goesOn('Warm it,')).toBe(false);
  });
});

describe('what must follow', () => {
  const warm = new Map([
    ['warm the picture slightly', 'temperature'],
    ['warm the photo slightly', 'temperature'],
    ['reduce the saturation a lot', 'saturation'],
  ]);

  test.each<[text: string, rest: string, ends: boolean]>([
    ['', '', false],
    ['Re', 'duce the saturation a lot', false],
    ['Reduce the saturation a lot', '', false],
    // The last word that all have in common is whole, or it is left out.
    ['Warm', ' the ', false],
    ['Warm the ph', 'oto slightly', false],
    ['Warm the photo slightly', '', false],
    ['Warm the photo slightly,', ' ', false],
    ['Warm the photo slightly, t', 'hen reduce the saturation a lot', true],
    ['Warm the photo slightly, then r', 'educe the saturation a lot', true],
    ['Warm the photo slightly and', ' reduce the saturation a lot', true],
    ['Warm the photo slightly and reduce the saturation a lot', '', true],
    ['Leave', ' the overall color as is', true],
    ['Cool', '', false],
    ['warm', '', false],
  ])('behind "%s"', (text, rest, ends) => {
    expect(sayable({ clauses: warm }).forced(text)).toEqual({ text: rest, ends });
  });

  test('ends in a whole word', () => {
    const colors = new Map([
      ['mute the color', 'saturation'],
      ['mute the colors', 'saturation'],
    ]);
    expect(sayable({ clauses: colors }).forced('Mu')).toEqual({ text: 'te the ', ends: false });
    expect(sayable({ clauses: colors, most: 1 }).forced('Mute the color')).toEqual({ text: '', ends: false });
  });
});

test('a number is part of the text', () => {
  const figures = sayable({ clauses: new Map([['tones run from 5 to 100', 'contrast']]) });
  expect(figures.complete('Tones run from 5 to 100')).toBe(true);
  expect(figures.fits('Tones run from 5')).toBe(true);
  expect(figures.goesOn('Tones run from 5 to 10')).toBe(false);
  expect(figures.complete('Tones run from 10 to 100')).toBe(false);
});

test('a plan begins with what answers the problem, if any of its clauses does', () => {
  const first = sayable().startingWith(new Set(['saturation', 'exposure']));
  expect(first.complete('Reduce the saturation a lot and warm the picture slightly')).toBe(true);
  expect(first.goesOn('Warm')).toBe(false);
  expect(first.complete('Leave the overall color as is')).toBe(true);
  expect(
    sayable()
      .startingWith(new Set(['exposure']))
      .complete('Warm the picture slightly'),
  ).toBe(true);
});

test('a text speaks of axes', () => {
  expect([...sayable().axesIn('Warm the picture slightly, then reduce the saturation a lot')]).toEqual([
    'temperature',
    'saturation',
  ]);
  expect([...sayable({ sentences: new Map([['too dark', new Set(['exposure'])]]) }).axesIn('Too dark')]).toEqual([
    'exposure',
  ]);
  expect(sayable().axesIn('Something else').size).toBe(0);
});
