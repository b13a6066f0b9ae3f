import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { PARAMETER_NAMES } from '../../src/inference';
import { EN, PARAMETERS, ZH, fill, languageOf } from '../../src/panel/strings';

const PLACE = /\{\w+\}/g;

test('both languages say everything, with the same places for values', () => {
  expect(Object.keys(ZH).sort()).toEqual(Object.keys(EN).sort());
  for (const [key, text] of Object.entries(EN)) {
    const other = ZH[key as keyof typeof ZH];
    expect([key, other.trim() !== '']).toEqual([key, true]);
    expect([key, (other.match(PLACE) ?? []).sort()]).toEqual([key, (text.match(PLACE) ?? []).sort()]);
  }
});

test('Chinese is Chinese', () => {
  const same = Object.entries(EN).filter(([key, text]) => ZH[key as keyof typeof ZH] === text);
  expect(same.map(([key]) => key)).toEqual(['title']);
});

test('every parameter has its words in both languages', () => {
  for (const words of Object.values(PARAMETERS)) {
    for (const name of PARAMETER_NAMES) {
      const parts = /^(\w+Adjustment)(\w+)$/.exec(name)?.slice(1) ?? [name];
      for (const part of parts) expect(words).toHaveProperty(part);
    }
  }
});

test('no word that people read stands in the views themselves', () => {
  const folder = path.join(__dirname, '../../src/panel/view');
  for (const file of readdirSync(folder)) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    // Children of elements and names for those who do not see: from the strings, never written out.
    expect([
      file,
      text.match(/'aria-label': '|setText\(\w+, '|h\('(?:p|h2|h3|label|li|b|small)', \{[^}]*\}, '/g),
    ]).toEqual([file, null]);
  }
});

test('every string is used', () => {
  const sources = readdirSync(path.join(__dirname, '../../src/panel'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('strings.ts'))
    .map((file) => readFileSync(path.join(__dirname, '../../src/panel', file), 'utf8'))
    .join('\n');
  expect(Object.keys(EN).filter((key) => !new RegExp(`\\b${key}\\b`).test(sources))).toEqual([]);
});

test('values go into their places, and a place without a value stays to be seen', () => {
  expect(fill(EN.done, { seconds: '1.5' })).toBe('Done in 1.5 s.');
  expect(fill('{a} and {b}', { a: 0 })).toBe('0 and {b}');
});

test.each([
  ['zh-CN', 'zh'],
  ['ZH', 'zh'],
  ['en-GB', 'en'],
  ['de', 'en'],
])('the locale %s speaks %s', (locale, language) => {
  expect(languageOf(locale)).toBe(language);
});
