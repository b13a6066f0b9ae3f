import { type Fault, faultTexts, filled, isLost, isShown, type Said } from '../../../src/inference/grounding/faults';

const photo = (values: Record<string, number>) => (name: string) => values[name] ?? NaN;
const said = (text: string, more: Partial<Said> = {}): Said => ({ texts: [text], figures: [], ...more });

test('of the ways to speak of a fault the first that fits the photo is taken', () => {
  const fault: Fault = {
    shown: [],
    said: [said('much', { above: ['clipped', 5] }), said('some', { above: ['clipped', 1] }), said('a fault')],
  };
  const of = (clipped: number): string[] => faultTexts(fault, photo({ clipped, 5: 0, 1: 9 }));
  expect([of(5.1), of(5), of(1.1), of(1), of(0)]).toEqual([['much'], ['some'], ['some'], ['a fault'], ['a fault']]);
  expect(faultTexts({ shown: [], said: fault.said.slice(0, 2) }, photo({ clipped: 1 }))).toEqual([]);
});

test('a degree is the first word whose limit the size is below', () => {
  const words = said('{word} dark', { degrees: { of: 'x', below: [3, 8], words: ['a bit', 'clearly', 'very'] } });
  const of = (x: number): string => filled(words, photo({ x }))[0];
  expect([of(2.9), of(-2.9), of(3), of(-7.9), of(8), of(-50)].map((text) => text.replace(' dark', ''))).toEqual([
    'a bit',
    'a bit',
    'clearly',
    'clearly',
    'very',
    'very',
  ]);
});

test('figures are rounded as people say them', () => {
  const of = (rounding: 'five' | 'percent' | 'size', value: number): string =>
    filled(said('{n}', { figures: [['x', rounding]] }), photo({ x: value }))[0];
  expect([12.4, 12.5, 17.5, 12.6, 0].map((value) => of('five', value))).toEqual(['10', '10', '20', '15', '0']);
  expect([0.2, 1.5, 2.5, 9.4, 10, 12.6].map((value) => of('percent', value))).toEqual(['1', '2', '2', '9', '10', '15']);
  expect([0.2, -0.2, -7.6, 7.4].map((value) => of('size', value))).toEqual(['1', '1', '8', '7']);
  const both = said('{n} of {m}', { figures: [['x', 'size'], ['y', 'five']] }); // prettier-ignore
  expect(filled(both, photo({ x: 3, y: 41 }))).toEqual(['3 of 40']);
});

test('a fault is shown by any of its readings beyond its limit, on its side', () => {
  const fault: Fault = { shown: [['x', 1, 5], ['y', -1, 2]], said: [] }; // prettier-ignore
  const of = (x: number, y: number): boolean => isShown(fault, photo({ x, y }));
  expect([of(5, 2), of(5.1, 2), of(5, 1.9), of(-9, 9)]).toEqual([false, true, true, false]);
});

test('detail is lost above a limit only, where there is one', () => {
  const lost = (value: number, more: Partial<Fault>): boolean =>
    isLost({ shown: [], said: [], ...more }, photo({ x: value }));
  expect(lost(2, { lost: ['x', 2] })).toBe(false);
  expect(lost(2.1, { lost: ['x', 2] })).toBe(true);
  expect(lost(100, {})).toBe(false);
});
