import { UsageError } from '../../src/cli/errors';
import { parseCommandLine } from '../../src/cli/options';

const parse = (...argv: string[]) => parseCommandLine(argv, '1.2.3');
const job = (...argv: string[]) => {
  const parsed = parse('retouch', ...argv);
  if (parsed.kind !== 'retouch') throw new Error('no job');
  return parsed.job;
};

function refusal(...argv: string[]): UsageError {
  try {
    parse(...argv);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(UsageError);
    return thrown as UsageError;
  }
  throw new Error('was accepted');
}

test('everything that can be said is understood', () => {
  expect(
    job('a.jpg', 'b.jpg', '--style', 'warm film', '--strength', 'light=0.5, globalColor=2', '--out', 'o', '--json'),
  ).toEqual({
    photos: ['a.jpg', 'b.jpg'],
    task: { kind: 'style', text: 'warm film' },
    strength: { light: 0.5, globalColor: 2 },
    out: 'o',
    bundle: undefined,
    threads: undefined,
    json: true,
  });
  expect(job('a.jpg', '--auto', '--bundle', 'm', '--threads', '2')).toMatchObject({ bundle: 'm', threads: 2 });
  expect(job('a.jpg', '--params', 'p.json').task).toEqual({ kind: 'param', file: 'p.json' });
});

test('terms of a model are accepted by a word of their own only', () => {
  expect(job('a.jpg', '--auto').acceptTerms).toBeUndefined();
  expect(job('a.jpg', '--auto', '--accept-model-terms').acceptTerms).toBe(true);
});

test('--reference takes exactly two photos, wherever it stands', () => {
  const task = { kind: 'reference', before: 'b e.jpg', after: 'af.jpg' };
  expect(job('--reference', 'b e.jpg', 'af.jpg', 'x.jpg', 'y.jpg')).toMatchObject({ task, photos: ['x.jpg', 'y.jpg'] });
  expect(job('x.jpg', '--reference', 'b e.jpg', 'af.jpg', '--json')).toMatchObject({ task, photos: ['x.jpg'] });
  for (const few of [['--reference'], ['--reference', 'b.jpg'], ['--reference', 'b.jpg', '--json']]) {
    expect(refusal('retouch', 'x.jpg', ...few).message).toContain('two photos');
  }
});

test('help and version are printed, not run', () => {
  expect(parse('--version')).toEqual({ kind: 'print', text: '1.2.3\n' });
  const help = parse('retouch', '--help');
  for (const word of ['--auto', '--style <text>', '--params', '--reference <before> <after>', 'Exit codes', '130']) {
    expect(help).toMatchObject({ kind: 'print', text: expect.stringContaining(word) as string });
  }
});

test.each([
  ['nothing at all', [], 'Say what to do'],
  ['no photo', ['retouch', '--auto'], 'photo'],
  ['no way', ['retouch', 'a.jpg'], 'No way of retouching'],
  ['two ways', ['retouch', 'a.jpg', '--auto', '--style', 'x'], 'More than one way'],
  ['an empty style', ['retouch', 'a.jpg', '--style', '  '], 'style is empty'],
  ['a style without text', ['retouch', 'a.jpg', '--style'], 'argument missing'],
  ['an unknown factor', ['retouch', 'a.jpg', '--auto', '--strength', 'lihgt=1'], '"lihgt"'],
  ['too much', ['retouch', 'a.jpg', '--auto', '--strength', 'light=3'], 'not a strength'],
  ['NaN', ['retouch', 'a.jpg', '--auto', '--strength', 'light=NaN'], 'not a strength'],
  ['no number', ['retouch', 'a.jpg', '--auto', '--strength', 'light='], 'not a strength'],
  ['a factor twice', ['retouch', 'a.jpg', '--auto', '--strength', 'light=1,light=0'], 'twice'],
  ['no threads', ['retouch', 'a.jpg', '--auto', '--threads', '0'], 'threads'],
])('%s is a usage error that says so', (_name, argv, words) => {
  expect(refusal(...argv).message).toContain(words);
});

test('a misspelt option or command is met with the right one', () => {
  expect(refusal('retouch', 'a.jpg', '--stlye', 'x').hint).toContain('--style');
  expect(refusal('retuch', 'a.jpg').hint).toContain('retouch');
});

test('--fast is for what has words', () => {
  expect(job('a.jpg', '--auto').fast).toBeUndefined();
  expect(job('a.jpg', '--params', 'p.json', '--fast').fast).toBe(true);
  expect(refusal('retouch', 'a.jpg', '--reference', 'b.jpg', 'c.jpg', '--fast').hint).toBe('Leave --fast out.');
});
