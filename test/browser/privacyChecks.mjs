import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PHOTO, openPanel } from './panelPage.mjs';
import { PhotoshopPage } from './photoshopPage.mjs';

/*
 * Nothing leaves the page: a whole session asks for nothing but the files beside it, and what would ask elsewhere, were it
 * ever built in, is stopped by the page's Content-Security-Policy. Each proof is made twice: it has to fail without the policy.
 */

/** Somewhere else: a server that counts what reaches it, and lets everybody read it. */
async function elsewhere() {
  const reached = [];
  const server = createServer((request, response) => {
    reached.push(request.url.split('?')[0]);
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    response.writeHead(200, { 'content-type': 'text/javascript' }).end('0');
  });
  server.on('upgrade', (request, socket) => {
    reached.push(request.url);
    socket.destroy();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { address, reached, close };
}

/** Every way that a page has to send something away without leaving. Runs in the page; gives what the browser said. */
async function tryAll(address) {
  const violated = [];
  document.addEventListener('securitypolicyviolation', (event) => violated.push(event.effectiveDirective));
  const quiet = () => undefined;
  const put = (name, attributes) => {
    const element = Object.assign(document.createElement(name), attributes);
    document.body.append(element);
    return element;
  };
  await fetch(`${address}/fetch`, { method: 'POST', body: 'photo' }).catch(quiet);
  await new Promise((done) => {
    const request = new XMLHttpRequest();
    request.onloadend = done;
    request.open('GET', `${address}/request`);
    request.send();
  });
  try {
    navigator.sendBeacon(`${address}/beacon`, 'photo');
  } catch {
    // Some browsers refuse, some only return false.
  }
  for (const make of [
    () => new WebSocket(`${address.replace('http', 'ws')}/socket`),
    () => new EventSource(`${address}/events`),
  ]) {
    try {
      const opened = make();
      opened.onerror = () => opened.close();
    } catch {
      // Refused at once.
    }
  }
  new Image().src = `${address}/image`;
  put('script', { src: `${address}/script` });
  put('link', { rel: 'stylesheet', href: `${address}/sheet` });
  put('link', { rel: 'manifest', href: `${address}/manifest` });
  put('link', { rel: 'prefetch', href: `${address}/prefetch` });
  put('iframe', { src: `${address}/frame` });
  put('object', { data: `${address}/object` });
  put('video', { src: `${address}/video` });
  put('style', {
    textContent: `@font-face{font-family:f;src:url(${address}/font)} .f{font-family:f;background:url(${address}/paint)}`,
  });
  put('p', { className: 'f', textContent: 'text' });
  const form = put('form', {
    action: `${address}/form`,
    method: 'post',
    target: put('iframe', { name: 'inner' }).name,
  });
  form.submit();
  await import(`${address}/module`).catch(quiet);
  const text = `(async () => {
    await fetch('${address}/worker-fetch').catch(() => undefined);
    try { importScripts('${address}/worker-script'); } catch {}
    await import('${address}/worker-module').catch(() => undefined);
    postMessage('done');
  })()`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
  await new Promise((done) => (worker.onmessage = worker.onerror = done));
  await new Promise((done) => setTimeout(done, 1500));
  return violated;
}

/** What reaches a server elsewhere of all that a page tries. `bypass`: without the policy. */
async function attempt(browser, address, bypass) {
  const other = await elsewhere();
  const context = await browser.newContext({ bypassCSP: bypass });
  try {
    const page = await context.newPage();
    await page.goto(address);
    const violated = await page.evaluate(tryAll, other.address);
    return { reached: [...new Set(other.reached)].sort(), violated };
  } finally {
    await context.close();
    await other.close();
  }
}

/** Uses the page in every mode, as a person does; photo and model are there. */
async function everyMode(panel) {
  await panel.mode('Auto');
  await panel.retouch(/^(Retouch|Try again)$/);
  await panel.wordsSlidersAndMatch();
  await panel.button('Help').click();
  await panel.page.keyboard.press('Escape');
}

/** Keeps every address that a page and its workers ask for. */
function recorder(context) {
  const asked = [];
  context.on('request', (request) => asked.push(request.url()));
  return asked;
}

/** Those that are neither beside the page nor bytes that it has made itself. */
const strangers = (asked, base) => asked.filter((url) => !url.startsWith(base) && !/^(data|blob):/.test(url));

async function webSession(browser, address, presets) {
  let asked;
  const panel = await openPanel(browser, address, { before: (page) => (asked = recorder(page.context())) });
  await panel.openPhoto(PHOTO);
  await panel.ready();
  await everyMode(panel);
  const loaded = asked.length;
  await panel.mode('Adjust');
  await panel.pick(panel.button('Import preset…'), presets.warm);
  await panel.until((state) => state.sliders.Vibrance === 20);
  await panel.download(() => panel.button('Export preset').click());
  await panel.resting();
  await panel.download(() => panel.button('Download PSD').click());
  await everyMode(panel);
  const base = new URL('./', address).href;
  assert.ok(
    asked.some((url) => url.includes('worker.js')),
    'the recorder sees nothing',
  );
  assert.deepEqual(strangers(asked, base), []);
  assert.deepEqual(
    asked.slice(loaded).filter((url) => !/^(data|blob):/.test(url)),
    [],
    'something was asked for that had been loaded before',
  );
  return panel;
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const PRIVACY = {
  async 'a whole session on a server asks for nothing but the files beside the page, and for nothing twice'({
    browser,
    served,
    presets,
  }) {
    return webSession(browser, served, presets);
  },

  async 'a whole session from a folder asks for nothing but the files beside the page, and for nothing twice'({
    browser,
    local,
    presets,
  }) {
    return webSession(browser, local, presets);
  },

  async 'a whole session of the packed plugin asks for nothing but the files beside the page'({ browser, plugin }) {
    let asked;
    const ps = await PhotoshopPage.open(browser, plugin, {
      locale: 'en_US',
      before: (page) => (asked = recorder(page.context())),
    });
    await ps.start();
    await ps.readable();
    await ps.ready();
    await ps.retouch();
    await ps.style('Warm evening light');
    await ps.adjust('Light: Contrast', 40);
    await ps.apply();
    assert.ok(
      asked.some((url) => url.includes('worker.js')),
      'the recorder sees nothing',
    );
    assert.deepEqual(strangers(asked, pathToFileURL(join(plugin, 'panel')).href), []);
    return ps;
  },

  async 'whatever the page and its worker would send elsewhere is stopped, and would arrive without the policy'({
    browser,
    served,
    local,
    plugin,
  }) {
    const packed = pathToFileURL(join(plugin, 'panel', 'index.html')).href;
    for (const address of [served, local, packed]) {
      const { reached, violated } = await attempt(browser, address, false);
      assert.deepEqual(reached, [], address);
      for (const directive of ['connect-src', 'img-src', 'script-src-elem', 'style-src-elem', 'frame-src', 'font-src'])
        assert.ok(violated.includes(directive), `${address}: ${directive} stopped nothing (${violated.join(', ')})`);
    }
    const { reached } = await attempt(browser, served, true);
    for (const way of ['fetch', 'request', 'beacon', 'socket', 'events', 'image', 'script', 'sheet', 'frame', 'object'])
      assert.ok(reached.includes(`/${way}`), `${way} would not have arrived: ${reached.join(', ')}`);
    for (const way of ['video', 'font', 'paint', 'form', 'module', 'worker-fetch', 'worker-script', 'worker-module'])
      assert.ok(reached.includes(`/${way}`), `${way} would not have arrived: ${reached.join(', ')}`);
    return { problems: [], close: () => Promise.resolve() };
  },

  async 'the recorder sees what a worker asks for'({ browser, served }) {
    let asked;
    const panel = await openPanel(browser, served, { before: (page) => (asked = recorder(page.context())) });
    await panel.page.evaluate(async (address) => {
      const text = `fetch('${address}model/bundle.json?worker').finally(() => postMessage('done'))`;
      const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
      await new Promise((done) => (worker.onmessage = done));
    }, served);
    assert.ok(asked.some((url) => url.endsWith('bundle.json?worker')));
    return panel;
  },
};
