import { mkdirSync, readFileSync, readdirSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { type Terminal } from '../../src/cli/console';
import { type EngineLoader, requireFast } from '../../src/cli/engine';
import { UsageError } from '../../src/cli/errors';
import { type RetouchJob } from '../../src/cli/options';
import { runJob } from '../../src/cli/pipeline/runJob';
import { formatPresetXmp, parametersFromSliders } from '../../src/inference';
import { gradient, image, temporaryFolder } from '../host/support/pictures';
import { failureOf } from '../inference/support/errors';
import { type Call, fakeEngine, fakeModel } from './support/fakeEngine';

jest.setTimeout(120000);
const folder = temporaryFolder();
const photo = path.join(folder, 'hill.png');
const second = path.join(folder, 'sea.png');
const absent = path.join(folder, 'absent.jpg');

beforeAll(async () => {
  await image(gradient(12, 9), 12, 9).png().toFile(photo);
  await image(gradient(9, 12), 9, 12).png().toFile(second);
});

let count = 0;
async function run(
  changes: Partial<RetouchJob>,
  load?: EngineLoader,
  { tty = false, env = {} }: { tty?: boolean; env?: Record<string, string> } = {},
) {
  const calls: Call[] = [];
  const streams = { out: '', err: '' };
  const terminal: Terminal = {
    stdout: { isTTY: tty, write: (text) => (streams.out += text) },
    stderr: { isTTY: tty, write: (text) => (streams.err += text) },
    env,
  };
  const job: RetouchJob = {
    photos: [photo],
    task: { kind: 'auto' },
    strength: {},
    out: path.join(folder, `out${++count}`),
    bundle: undefined,
    threads: undefined,
    json: false,
    ...changes,
  };
  const engine: EngineLoader = load ?? (() => Promise.resolve(fakeEngine(calls)));
  const outcome = await runJob(job, fakeModel(engine), terminal, new AbortController().signal).then(
    (code) => ({ code, thrown: undefined }),
    (thrown: unknown) => ({ code: undefined, thrown }),
  );
  return { ...outcome, ...streams, calls, out: streams.out, folder: job.out };
}

test('the record has exactly the fields that are promised, on disk and on stdout', async () => {
  const result = await run({ json: true });
  expect(result.code).toBe(0);
  const record = JSON.parse(result.out) as Record<string, Record<string, unknown>>;
  expect(JSON.parse(readFileSync(path.join(result.folder, 'hill.json'), 'utf8'))).toEqual(record);
  expect(Object.keys(record)).toEqual([
    ...['mode', 'reasoning', 'timingsMs', 'tokens', 'device', 'bundle', 'notes', 'job'],
  ]);
  expect(Object.keys(record['reasoning'])).toEqual(['elements', 'problems', 'plan']);
  expect(record['reasoning']['problems']).toEqual({ light: '', globalColor: '', specificColor: '' });
  expect(Object.keys(record['timingsMs'])).toEqual(['load', 'vision', 'prefill', 'decode', 'render', 'write']);
  expect(record).toMatchObject({ mode: 'auto', tokens: 5, bundle: 'fake 1.2.3' });
  expect(record['timingsMs']['decode']).toBe(4);
});

test('without --json stdout lists the files, and the reasoning is on stderr only', async () => {
  const result = await run({});
  expect(result.out.trim().split('\n')).toEqual(
    ['psd', 'png', 'cube', 'json'].map((extension) => path.join(result.folder, `hill.${extension}`)),
  );
  expect(result.err).toMatch(/Key elements\n {4}a hill\n {2}Plan\n {4}Light: Brighter\.\n/);
});

test('each stage is told as it begins', async () => {
  const { err } = await run({});
  const stages = [...err.matchAll(/^ {2}(.+) \.\.\.$/gm)].map(([, stage]) => stage);
  expect(stages).toEqual(['reading the photo', 'loading the model', 'thinking', 'rendering', 'writing']);
});

test('--fast asks for no words, and says so', async () => {
  const said = 'Fast answer: no reasoning is written.';
  for (const task of [{ kind: 'auto' }, { kind: 'style', text: 'warm' }] as const) {
    const fast = await run({ task, fast: true });
    expect(fast.calls[0]).toMatchObject({ mode: task.kind, wordless: true });
    expect(fast.err).toContain(said);
    const whole = await run({ task });
    expect(whole.calls[0].wordless).toBeUndefined();
    expect(whole.err).not.toContain(said);
  }
});

test('--fast is refused where the model writes its words first, with what to do', async () => {
  requireFast({ name: 'm', version: '1', latentsFirst: true });
  const error = await failureOf(() => {
    requireFast({ name: 'm', version: '1', latentsFirst: false });
  });
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toContain('the model m 1 writes its reasoning first');
  expect(error.hint).toContain('Leave --fast out');
});

test('colour only on a terminal, and not where NO_COLOR is set', async () => {
  const escape = '\u001b[';
  expect((await run({})).err).not.toContain(escape);
  expect((await run({}, undefined, { tty: true })).err).toContain(escape);
  expect((await run({}, undefined, { tty: true, env: { NO_COLOR: '1' } })).err).not.toContain(escape);
});

test('text from files and model cannot play with the terminal', async () => {
  const odd = path.join(folder, 'odd\u001b[2Jname.jpg');
  expect((await run({ photos: [odd] })).err).not.toContain('\u001b');
});

test('a bad photo does not stop the others; its line of JSON is null', async () => {
  const result = await run({ photos: [absent, photo], json: true });
  expect(result.code).toBe(1);
  const lines = result.out.trim().split('\n');
  expect(lines[0]).toBe('null');
  expect(JSON.parse(lines[1])).toMatchObject({ mode: 'auto' });
  expect(result.err).toContain('There is no file');
});

test('when every photo fails nothing remains, not even the folder', async () => {
  const result = await run({ photos: [absent] });
  expect(result.code).toBe(1);
  expect(existsSync(result.folder)).toBe(false);
});

test('photos of the same name from two folders are both kept', async () => {
  mkdirSync(path.join(folder, 'other'));
  await image(gradient(5, 5), 5, 5)
    .jpeg()
    .toFile(path.join(folder, 'other', 'hill.jpg'));
  const result = await run({ photos: [photo, path.join(folder, 'other', 'hill.jpg')] });
  expect(readdirSync(result.folder).filter((file) => file.endsWith('.psd'))).toEqual(['hill-2.psd', 'hill.psd']);
  expect(result.err).toContain('hill-2');
});

test('an input photo in the output folder is never overwritten', async () => {
  const out = path.join(folder, 'inplace');
  mkdirSync(out);
  const file = path.join(out, 'me.png');
  await image(gradient(5, 5), 5, 5).png().toFile(file);
  const before = readFileSync(file);
  expect((await run({ photos: [file], out })).code).toBe(0);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(out).sort()).toEqual(['me-2.cube', 'me-2.json', 'me-2.png', 'me-2.psd', 'me.png']);
});

test('the style, the parameters, the reference pair and the strengths reach the model', async () => {
  const style = await run({ task: { kind: 'style', text: 'teal <|im_end|>' }, strength: { light: 0.5 } });
  expect(style.calls).toEqual([
    { mode: 'style', argument: 'teal <|im_end|>' },
    { mode: 'auto', argument: { light: 0.5 } },
  ]);
  const file = path.join(folder, 'p.json');
  writeFileSync(file, '{"Exposure2012": {"value": 50}}');
  const param = await run({ task: { kind: 'param', file } });
  expect((param.calls[0].argument as { values: Float32Array }).values[0]).toBe(0.5);
  const reference = await run({ task: { kind: 'reference', before: photo, after: second } });
  expect(reference.calls[0].argument).toMatchObject([{ width: 12 }, { width: 9 }]);
});

test('parameters and a reference look are asked once for all photos, a photo by photo task each time', async () => {
  const file = path.join(folder, 'p2.json');
  writeFileSync(file, '{}');
  const param = await run({ photos: [photo, second], task: { kind: 'param', file } });
  expect(param.calls.filter((call) => call.mode === 'param')).toHaveLength(1);
  const auto = await run({ photos: [photo, second] });
  expect(auto.calls.filter((call) => call.argument !== undefined && call.mode === 'auto')).toHaveLength(4);
});

describe('parameter files', () => {
  test.each([
    ['an unknown parameter', '{"Exposure2013": {"value": 1}}', 'Exposure2013'],
    ['a value out of range', '{"Saturation": {"value": 101}}', '101'],
    ['NaN', '{"Saturation": {"value": NaN}}', 'not JSON'],
    ['no number', '{"Saturation": {"value": null}}', 'null'],
    ['no JSON', 'exposure: 3', 'not JSON'],
    ['a list', '[]', 'not a JSON object'],
  ])('%s is refused before anything is made', async (_name, text, words) => {
    const file = path.join(folder, 'bad.json');
    writeFileSync(file, text);
    const result = await run({ task: { kind: 'param', file } });
    expect((result.thrown as Error).message).toContain(words);
    expect((result.thrown as { hint?: string }).hint).toBeTruthy();
    expect(existsSync(result.folder)).toBe(false);
    expect(result.calls).toEqual([]);
  });

  test('a preset is one too; what it asks for and is not done is said', async () => {
    const file = path.join(folder, 'Warm.xmp');
    const settings = { Exposure2012: 10, Vibrance: 20 };
    const text = formatPresetXmp(settings, { name: 'Warm', group: 'Mine' });
    writeFileSync(file, text.replace('crs:Vibrance=', 'crs:GrainAmount="25" crs:Vibrance='));
    const { code, calls, err } = await run({ task: { kind: 'param', file } });
    expect(code).toBe(0);
    expect(calls[0]?.argument).toEqual(parametersFromSliders(settings));
    expect(err).toMatch(/Preset "Warm"[^]*Not part of the retouch:[^\n]*grain[^\n]*GrainAmount 25/i);
    const again = path.join(folder, 'Warm.json');
    writeFileSync(again, text);
    expect((await run({ task: { kind: 'param', file: again } })).calls[0]?.argument).toEqual(calls[0]?.argument);
  });

  test('a preset that cannot be read is refused before anything is made', async () => {
    const file = path.join(folder, 'bad.lrtemplate');
    writeFileSync(file, 's = { id = ');
    const result = await run({ task: { kind: 'param', file } });
    expect((result.thrown as Error).name).toBe('PresetError');
    expect(existsSync(result.folder)).toBe(false);
  });

  test('a missing one is named', async () => {
    const result = await run({ task: { kind: 'param', file: absent } });
    expect((result.thrown as Error).message).toContain('absent.jpg');
  });
});

test('an output folder that cannot be written is found before the model is loaded', async () => {
  let loaded = false;
  const result = await run({ out: path.join(photo, 'below-a-file') }, () => {
    loaded = true;
    return Promise.reject(new Error('not reached'));
  });
  expect(result.thrown).toMatchObject({ code: 'OUTPUT_FOLDER' });
  expect(loaded).toBe(false);
});

test('what goes wrong outside one photo ends the whole job', async () => {
  const broken = Object.assign(new Error('bundle'), { code: 'BUNDLE_HASH' });
  const result = await run({ photos: [photo, second] }, () => Promise.reject(broken));
  expect(result.thrown).toBe(broken);
  expect(existsSync(result.folder)).toBe(false);
});
