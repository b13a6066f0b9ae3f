import fc from 'fast-check';
import { BundleTokenizer, TextStream } from '../../src/inference/tokenizer';
import { BUNDLES, jsonOf, readBundle, TINY } from './support/bundles';
import { failureOf } from './support/errors';

interface AddedJson {
  id: number;
  content: string;
}

const SAMPLES = [
  'warm film look',
  '  spaces   inside ',
  '暖かい夕暮れの光、柔らかい影',
  '따뜻한 필름',
  'مساء دافئ',
  'cool 😀👩🏽‍🚀 vibes 🏳️‍🌈',
  'Ünïcödé – “quotes”… ½',
  'tabs\tand\r\nlines\n',
  'a\u0000b\u001b[31m',
  '\ufeffbyte order mark',
  'e\u0301 combining, \u200d joiner',
  '{instruction} {image}',
];

describe.each(BUNDLES)('tokenizer of the %s bundle', (_name, folder) => {
  const files = readBundle(folder);
  const json = jsonOf(files, 'tokenizer.json');
  const tokenizer = BundleTokenizer.create(json, jsonOf(files, 'tokenizer_config.json'));
  const added = new Map((json.added_tokens as AddedJson[]).map(({ content, id }) => [content, id]));
  const specialIds = new Set(added.values());

  test('has the tokens of the product', () => {
    expect(tokenizer.addedTokens).toEqual([...added.keys()]);
    expect(tokenizer.addedTokens).toContain('<retouch_color&temp>');
  });

  test.each([...added.keys()])('%s: a token in a template, plain text in what a user writes', (content) => {
    expect(tokenizer.encodeTemplate(content)).toEqual([added.get(content)]);
    expect(tokenizer.encodeTemplate(`a ${content}b`)).toContain(added.get(content));
    for (const text of [content, ` ${content} `, `x${content}${content}y`, content.repeat(5), `日${content}😀`]) {
      const ids = tokenizer.encodeText(text);
      expect(ids.filter((id) => specialIds.has(id))).toEqual([]);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect(tokenizer.isText(added.get(content)!)).toBe(false);
  });

  test.each(SAMPLES)('text comes back as it was: %j', (text) => {
    const ids = tokenizer.encodeText(text);
    expect(ids.every((id) => tokenizer.isText(id))).toBe(true);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(streamed(tokenizer, ids).join('')).toBe(text.trim());
  });

  /** A vocabulary of bytes may lack those of characters that its texts never had: controls, planes that Unicode left empty. */
  const spelt = (character: string): boolean =>
    tokenizer.decode(tokenizer.encodeText(character)) === character.toWellFormed();

  test('every character that is assigned can be spelt', () => {
    const planes = [0, 1, 2, 3, 14].flatMap((plane) =>
      Array.from({ length: 0x1000 }, (_, i) => plane * 0x10000 + i * 16),
    );
    const low = Array.from({ length: 0x250 }, (_, i) => i);
    const characters = [...low, ...planes].map((code) => String.fromCodePoint(code));
    const assigned = characters.filter((character) => /[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}]/u.test(character));
    expect(assigned.length).toBeGreaterThan(5000);
    expect(assigned.filter((character) => !spelt(character))).toEqual([]);
  });

  test('any text comes back as it was, with halves of characters replaced, and holds no special token', () => {
    const alphabet = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...added.keys(), '<', '|', '>', '\ud83d', '\ude00', '  ', '日本'),
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 8 }), (parts) => {
        const text = Array.from(parts.join('')).filter(spelt).join('');
        const ids = tokenizer.encodeText(text);
        return !ids.some((id) => specialIds.has(id)) && tokenizer.decode(ids) === text.toWellFormed();
      }),
    );
  });

  test.each(['\ud800', 'x\udc00y', '\ude00\ud83d', '😀'.slice(0, 1), '😀'.slice(1)])('lone surrogates: %j', (text) => {
    const ids = tokenizer.encodeText(text);
    expect(ids.every((id) => Number.isInteger(id) && tokenizer.isText(id))).toBe(true);
    expect(tokenizer.decode(ids)).toBe(text.toWellFormed());
  });

  test('a stream never shows a piece of a character, and loses none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const clean = text.replaceAll('\ufffd', '');
        const pieces = streamed(tokenizer, tokenizer.encodeText(clean));
        return pieces.every((piece) => !piece.includes('\ufffd')) && pieces.join('') === clean.trim();
      }),
    );
  });

  test('a character that was never completed is left out', () => {
    const ids = tokenizer.encodeText('a😀');
    const cut = streamed(tokenizer, ids.slice(0, -1)).join('');
    expect(['a', 'a😀']).toContain(cut);
    expect(cut).not.toContain('\ufffd');
    // Half a character followed by another text: the half is left out, the text is not.
    const bytes = tokenizer.encodeText('😀').slice(0, -1);
    if (bytes.length > 0) expect(streamed(tokenizer, [...bytes, ...tokenizer.encodeText('ok')]).join('')).toBe('ok');
  });

  test('nothing encodes to nothing', () => {
    expect(tokenizer.encodeText('')).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  test('an id that no token has is no text', () => {
    expect(tokenizer.isText(10_000_000)).toBe(false);
    expect(tokenizer.isText(-1)).toBe(false);
  });
});

test('even a vocabulary whose merges spell a special token out does not give it to a user', () => {
  // "<", "a" and ">" merge into "<a>", whose id 3 is also that of an added token.
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [{ id: 3, content: '<a>', special: true, lstrip: false, rstrip: false, single_word: false }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: { '<': 0, a: 1, '>': 2, '<a>': 3, '<a': 4 },
      merges: [
        ['<', 'a'],
        ['<a', '>'],
      ],
    },
  };
  const tokenizer = BundleTokenizer.create(json, {});
  expect(tokenizer.encodeText('a<a>')).toEqual([1, 0, 1, 2]);
  expect(tokenizer.encodeText('<aa')).toEqual([4, 1]);
  expect(tokenizer.encodeTemplate('a<a>')).toEqual([1, 3]);
});

test('where one added token begins another, the longer one is meant', () => {
  const json = jsonOf(readBundle(TINY), 'tokenizer.json');
  json.added_tokens = [...json.added_tokens, { id: 9001, content: '<x>' }, { id: 9002, content: '<x>y' }];
  const tokenizer = BundleTokenizer.create(json, {});
  expect(tokenizer.encodeTemplate('<x>y<x>')).toEqual([9002, 9001]);
});

test('a token that is not there is an error that names it', async () => {
  const json = jsonOf(readBundle(TINY), 'tokenizer.json');
  const tokenizer = BundleTokenizer.create(json, {}, 'tok.json');
  const error = await failureOf(() => tokenizer.addedTokenId('<no such token>'));
  expect(error.code).toBe('BUNDLE_TOKENIZER');
  expect(error.message).toContain('"<no such token>"');
  expect(error.message).toContain('tok.json');
});

function streamed(tokenizer: BundleTokenizer, ids: number[]): string[] {
  const stream = new TextStream(tokenizer);
  const pieces = ids.map((id) => stream.push(id));
  expect(stream.text).toBe(pieces.join(''));
  return pieces;
}
