import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../host/support/pictures';

/* `npm run check:privacy` on what is built, and on what it has to catch. It watches system calls, which only Linux lets it. */
jest.setTimeout(300000);
const onLinux = process.platform === 'linux' ? describe : describe.skip;
const ROOT = path.resolve(__dirname, '../..');
const PROGRAM = path.join(ROOT, 'dist/cli.cjs');
const folder = realpathSync(temporaryFolder());

beforeAll(() => {
  if (!existsSync(PROGRAM)) throw new Error('The program is not built: run `npm run build` first.');
});

function check(...args: string[]): { status: number | null; said: string } {
  const script = path.join(ROOT, 'scripts/check-privacy.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

onLinux('the command line', () => {
  test('opens no socket and writes nothing outside its output folder, whatever is asked of it', () => {
    const { status, said } = check('--cli', PROGRAM);
    expect(said).toMatch(/Nothing leaves this machine: 12 runs, no socket, \d+ files written/);
    expect(said).not.toContain('FAIL');
    expect(status).toBe(0);
  });

  test('is caught when the runtime keeps its telemetry', () => {
    const old = path.join(folder, 'old');
    mkdirSync(path.join(old, 'dist'), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(old, 'node_modules'));
    for (const name of ['package.json', 'dist/photoWorker.cjs'])
      writeFileSync(path.join(old, name), readFileSync(path.join(ROOT, name)));
    const program = path.join(old, 'dist/cli.cjs');
    const text = readFileSync(PROGRAM, 'utf8');
    expect(text).toContain('ORT_DISABLE_TELEMETRY');
    writeFileSync(program, text.replaceAll('ORT_DISABLE_TELEMETRY', 'ORT_NOTHING'));
    const { status, said } = check('--cli', program, '--only', 'auto', '--linger', '15');
    expect(said).toMatch(/^ +left in XDG_CACHE_HOME: cache\/Microsoft\/DeveloperTools\/\.onnxruntime\/deviceid$/m);
    expect(said).toMatch(/^ +socket\(AF_INET/m);
    expect(status).toBe(1);
  });

  test('that is not there is not called private', () => {
    expect(check('--cli', path.join(folder, 'none.cjs'))).toEqual({
      status: 2,
      said: `Not checked: There is no program ${path.join(folder, 'none.cjs')}.\n`,
    });
  });
});

/** Scripts that do what they must not, and what is said of them. `fs`, `out` and `work` are at hand. */
const CULPRITS: readonly (readonly [string, string, RegExp])[] = [
  ['a socket for datagrams', `require('dgram').createSocket('udp4').bind(0, '127.0.0.1').unref()`, /^socket\(AF_INET,/],
  ['a connection', `require('net').connect(9, '127.0.0.1').on('error', () => {})`, /^connect\(.*htons\(9\)/],
  ['a socket in the file system', `require('net').createServer().listen(out + '/s').unref()`, /^socket\(AF_UNIX,/],
  ['a name looked up', `require('dns').lookup('example.invalid', () => {})`, /^socket\(/],
  ['fetch', `fetch('http://127.0.0.1:2').catch(() => {})`, /^socket\(/],
  ['another program', `require('child_process').spawnSync('/bin/true')`, /^started another program: \/bin\/true$/],
  ['a file elsewhere', `fs.writeFileSync(work + '/id', '')`, /^open(at)? outside the output folder: .*\/id$/],
  ['a file beside a folder of the same name', `fs.writeFileSync(out + 'side', '')`, /outside.*outside$/],
  ['a file by a path that leaves', `fs.writeFileSync(out + '/../id', '')`, /outside.*\/id$/],
  ['a file by a relative path', `fs.writeFileSync('id', '')`, /outside.*\/id$/],
  ['a file that cannot be opened', `try { fs.openSync('/proc/none/id', 'w') } catch {}`, /outside.*\/proc\/none\/id$/],
  [
    'a file of a worker',
    `new (require('worker_threads').Worker)("require('fs').writeFileSync('id', '')", { eval: true })`,
    /\/id$/,
  ],
  ['a name like syntax', `fs.writeFileSync(work + '/") = 3</tmp/out', '')`, /outside.*"\) = 3<\/tmp\/out$/],
  ['a name that is no ASCII', `fs.writeFileSync(work + '/été', '')`, /outside.*\/été$/],
  ['a folder', `fs.mkdirSync(work + '/cache')`, /^mkdir(at)? outside.*\/cache$/],
  ['a photo moved in', `fs.renameSync(work + '/photo', out + '/photo')`, /^rename\w* outside.*\/photo$/],
  ['a photo deleted', `fs.unlinkSync(work + '/photo')`, /^unlink\w* outside.*\/photo$/],
  ['a photo cut', `fs.truncateSync(work + '/photo', 1)`, /outside.*\/photo$/],
  ['a photo with another time', `fs.utimesSync(work + '/photo', 1, 1)`, /^utime\w* outside.*\/photo$/],
  ['the same, opened to be read', `fs.futimesSync(fs.openSync(work + '/photo'), 1, 1)`, /^utime\w* outside.*\/photo$/],
  ['its rights, opened to be read', `fs.fchmodSync(fs.openSync(work + '/photo'), 0o600)`, /^fchmod outside.*\/photo$/],
  ['a second name', `fs.linkSync(work + '/photo', out + '/photo')`, /^link\w* outside.*\/photo$/],
  ['a way out', `fs.symlinkSync(work, out + '/way'); fs.writeFileSync(out + '/way/id', '')`, /outside.*work\d+\/id$/],
  ['another folder', `process.chdir('/')`, /^changed its folder/],
];

onLinux('the check', () => {
  let count = 0;
  function watch(script: string): { status: number; problems: string[]; written: number } {
    const work = path.join(folder, `work${++count}`);
    mkdirSync(path.join(work, 'out'), { recursive: true });
    writeFileSync(path.join(work, 'photo'), 'photo');
    const file = path.join(folder, `script${count}.cjs`);
    const head = `const fs = require('fs'), work = ${JSON.stringify(work)}, out = work + '/out';\n`;
    writeFileSync(file, head + script);
    const watcher = path.join(__dirname, 'support/watch.mjs');
    const { stdout, stderr } = spawnSync(process.execPath, [watcher, file, work], { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    rmSync(work, { recursive: true });
    return JSON.parse(stdout) as ReturnType<typeof watch>;
  }

  test.each(CULPRITS)('catches %s', (_name, script, says) => {
    expect(watch(script).problems).toContainEqual(expect.stringMatching(says));
  });

  test('has nothing against what stays in the output folder', () => {
    const script = `for (const name of ['a', 'b']) fs.writeFileSync(out + '/' + name, 'x');
      fs.mkdirSync(out + '/c'); fs.renameSync(out + '/a', out + '/c/a'); fs.unlinkSync(out + '/b');
      fs.linkSync(out + '/c/a', out + '/d'); fs.writeFileSync('/dev/null', ''); fs.readFileSync(work + '/photo');`;
    expect(watch(script)).toMatchObject({ status: 0, problems: [], written: 3 });
  });
});
