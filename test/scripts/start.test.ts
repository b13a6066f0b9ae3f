import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { temporaryFolder } from '../host/support/pictures';

/* The server of `npm start`, asked what any web page that is open in the browser can ask it. */
const ROOT = path.resolve(__dirname, '../..');
const folder = temporaryFolder();
const site = path.join(folder, 'site');
let server: ChildProcess;
let port: number;

beforeAll(async () => {
  mkdirSync(path.join(site, 'model'), { recursive: true });
  mkdirSync(path.join(site, 'empty'));
  mkdirSync(`${site}-beside`);
  writeFileSync(path.join(site, 'index.html'), '<p>page');
  writeFileSync(path.join(site, 'model', 'ä b.json'), '{}');
  writeFileSync(path.join(site, 'nothing.js'), '');
  for (const place of [folder, `${site}-beside`]) writeFileSync(path.join(place, 'secret'), 'secret');
  symlinkSync(path.join(folder, 'secret'), path.join(site, 'way-out'));
  symlinkSync(folder, path.join(site, 'folder-out'));
  symlinkSync('index.html', path.join(site, 'way-in'));
  const script = `import(${JSON.stringify(path.join(ROOT, 'scripts/start.mjs'))})
    .then(({ serveFolder }) => serveFolder(${JSON.stringify(site)}))
    .then(({ address }) => console.log(address))`;
  server = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<Buffer>((done, failed) => {
    server.stdout!.once('data', done);
    server.once('exit', (code) => {
      failed(new Error(`the server ended with ${code}`));
    });
  });
  port = Number(new URL(address.toString()).port);
});
afterAll(() => {
  server.kill();
});

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** The path goes out as it is, which no URL parser would allow. */
function ask(target: string, { host = `localhost:${port}`, method = 'GET' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: target, method, headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.on('error', reject).end();
  });
}

/** Bytes that no HTTP client would send. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(text));
    let got = '';
    socket.on('data', (data) => (got += data.toString())).on('error', reject);
    socket.on('close', () => {
      resolve(got);
    });
  });
}

test('files come with their types and sizes', async () => {
  expect(await ask('/')).toMatchObject({ status: 200, body: '<p>page' });
  expect((await ask('/index.html?lang=en')).headers['content-type']).toBe('text/html; charset=utf-8');
  expect(await ask('/model/%C3%A4%20b.json')).toMatchObject({ status: 200, body: '{}' });
  expect(await ask('/nothing.js')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '0' } });
  expect(await ask('/way-in')).toMatchObject({ status: 200, body: '<p>page' });
  const head = await ask('/', { method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '7' } });
});

test.each(['/%', '/%00', '/%ff', '/a%5c..%5csecret', '/%E0%A4%A', 'secret', '*', 'http://localhost/'])(
  'the address %s is refused, and the server lives',
  async (target) => {
    expect((await ask(target)).status).toBe(400);
    expect((await ask('/')).status).toBe(200);
  },
);

test.each(['//', '///', '//example.com', '//[', '/?%', '/#%'])('the address %s ends nothing', async (target) => {
  expect([200, 404]).toContain((await ask(target)).status);
  expect((await ask('/')).status).toBe(200);
});

test.each([
  ...['/../secret', '/..%2fsecret', '/%2e%2e/secret', '/model/../../secret', '//../secret', '/../site-beside/secret'],
  ...['/way-out', '/folder-out/secret', '/folder-out/site-beside/secret', '/empty', '/empty/', '/model', '/none'],
])('%s gives no file', async (target) => {
  const { status, body } = await ask(target);
  expect(status).toBe(404);
  expect(body).not.toContain('secret');
});

test('only the names of this computer are answered', async () => {
  for (const name of ['localhost', '127.0.0.1', '[::1]', 'LocalHost'])
    expect((await ask('/', { host: `${name}:${port}` })).status).toBe(200);
  for (const host of [
    'example.com',
    `example.com:${port}`,
    'localhost',
    `localhost:${port + 1}`,
    `localhost.example.com:${port}`,
  ])
    expect(await ask('/', { host })).toMatchObject({
      status: 403,
      body: `Only http://localhost:${port}/ is answered.\n`,
    });
  // HTTP/1.0 asks without a name.
  expect(await raw('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /);
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is refused', async (method) => {
  expect(await ask('/', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
});

test('what is no HTTP is refused, and the server lives', async () => {
  for (const text of [
    '\0\x01\x02\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /a b HTTP/1.1\r\n\r\n',
    `GET /${'a'.repeat(1 << 17)}`,
  ])
    await raw(text).catch(() => undefined);
  expect((await ask('/')).status).toBe(200);
});

test.each(['/', '/none', '/%'])('the answer to %s may be read, embedded and framed by nobody else', async (target) => {
  const { headers } = await ask(target);
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; .*; frame-ancestors 'none'$/);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

test('nobody else on the network reaches it', async () => {
  const outside = Object.values((await import('node:os')).networkInterfaces())
    .flat()
    .filter((address) => address && !address.internal && address.family === 'IPv4')
    .map((address) => address!.address);
  // Linux takes all of 127.x for its own: where only 127.0.0.1 is listened on, nobody answers there.
  if (process.platform === 'linux') outside.push('127.0.0.2');
  for (const address of outside) {
    const answered = await new Promise((resolve) => {
      const socket = net.connect({ host: address, port, timeout: 2000 }, () => {
        resolve(true);
        socket.destroy();
      });
      socket.on('error', () => {
        resolve(false);
      });
    });
    expect(answered).toBe(false);
  }
});
