import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FakeFile } from './photoshopPage.mjs';
import { ready } from './photoshopChecks.mjs';

/* What may go wrong between page, bridge and Photoshop. Each time: the document as it was, a sentence, and the next run works. */

/** Messages that do not arrive as they were sent. */
const CARRIERS = {
  lost: () => {
    let count = 0;
    return (_way, text) => (++count % 7 === 0 ? [] : [text]);
  },
  doubled: () => (_way, text) => [text, text],
  'out of order': () => {
    const held = {};
    return (way, text) => {
      const earlier = held[way];
      held[way] = earlier === undefined ? text : undefined;
      return earlier === undefined ? [] : [text, earlier];
    };
  },
  truncated: () => {
    let count = 0;
    return (_way, text) => {
      if (++count % 9 !== 0) return [text];
      // Still JSON, as all that a web view carries: the frame's own text is cut.
      const frame = JSON.parse(text);
      const cut = (value) =>
        typeof value === 'string' && value.length > 40 ? value.slice(0, value.length / 2) : value;
      return [
        JSON.stringify(
          typeof frame === 'object'
            ? Object.fromEntries(Object.entries(frame).map(([k, v]) => [k, cut(v)]))
            : cut(frame),
        ),
      ];
    };
  },
};

/** What happens to the document after it was read; what the page then says. */
const CHANGES = [
  ['closed', (ps, document) => ps.world.ps.close(document), /closed/],
  ['no longer in front', (ps) => void ps.world.ps.open({ name: 'Other.psd' }), /Another document is in front/],
  ['resized', (_ps, document) => document.edit('Image Size', (state) => (state.width = 90)), /size/],
  ['of another mode', (_ps, document) => document.edit('Mode', (state) => (state.mode = 'LAB')), /mode/],
  ['painted on', (_ps, document) => document.edit('Brush', ({ layers }) => layers[0].pixels.fill(200)), /contents/],
];

async function refusal(ps, wanted) {
  await ps.button('Apply as layer').click();
  await ps.until((state) => state.work === 'idle' && state.notices.some(({ kind }) => kind === 'error'));
  const [text] = await ps.state((state) => state.notices.filter(({ kind }) => kind === 'error').map((n) => n.text));
  assert.match(text, wanted);
}

async function works(ps, document) {
  const { print } = document;
  await ps.retouch(/^(Retouch|Try again)$/);
  await ps.apply();
  assert.notEqual(document.print, print);
  document.undo();
  assert.ok(document.print === print, 'the document is not as it was');
}

const carried = Object.entries(CARRIERS).map(([name, carrier]) => [
  `in Photoshop with messages ${name} on the bridge, a retouch arrives whole`,
  async ({ browser, plugin }) => {
    const ps = await ready(browser, plugin, { carry: carrier() });
    const document = await ps.readable({ bits: 16 });
    await works(ps, document);
    return ps;
  },
]);

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const PHOTOSHOP_FAULTS = {
  ...Object.fromEntries(carried),

  async 'in Photoshop a web view that runs no chunk script gets its files over the bridge'({ browser, plugin }) {
    const ps = await ready(browser, plugin, { before: (page) => page.route('**/chunks/**', (route) => route.abort()) });
    for (const name of readdirSync(join(plugin, 'panel'), { recursive: true })) {
      const file = join(plugin, 'panel', name);
      if (statSync(file).isFile())
        ps.world.uxp.packaged.set(`panel/${name}`, new FakeFile(name, new Uint8Array(readFileSync(file))));
    }
    ps.page.setDefaultTimeout(240_000);
    await works(ps, await ps.readable());
    return ps;
  },

  async 'in Photoshop a document that is not what was read is left alone'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    for (const [what, change, says] of CHANGES) {
      const document = await ps.readable({ name: `${what}.psd` });
      await ps.retouch(/^(Retouch|Try again)$/);
      change(ps, document);
      const { print } = document;
      await refusal(ps, says);
      assert.ok(document.print === print, `a document that is ${what} was changed`);
      for (const open of [...ps.world.ps.documents]) ps.world.ps.close(open);
      await works(ps, await ps.readable({ name: `after ${what}.psd` }));
    }
    return ps;
  },

  async 'in Photoshop a page that dies while it thinks or applies leaves the document alone'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable();
    const { print } = document;
    for (const work of ['thinking', 'writing', 'applying']) {
      await ps.ready();
      if (work === 'applying') await ps.retouch(/^(Retouch|Try again)$/);
      await ps.page.evaluate(
        (method) => void window.veraRetouch.controller[method](),
        work === 'applying' ? 'apply' : 'retouch',
      );
      await ps.until((state, stage) => state.work === stage || state.work === 'idle', work);
      await ps.kill();
      ps.world.panel.invokeMenu('reload');
      await ps.loadPage();
      await ps.until((state) => state.proxy !== undefined);
      if (await ps.state((state) => state.help)) await ps.start();
      // What reached the host before may have been carried out, as one step; never a part of it.
      while (document.at > 0) document.undo();
      assert.ok(document.print === print, 'the document is not as it was');
      document.history.splice(1);
    }
    await works(ps, document);
    return ps;
  },

  async 'in Photoshop another plugin that is modal is waited for, then named'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable();
    await ps.retouch();
    const { print } = document;
    ps.world.ps.modal.foreign = 'Other Plugin';
    await refusal(ps, /modal|busy|another/i);
    assert.ok(document.print === print, 'the document is not as it was');
    ps.world.ps.modal.foreign = undefined;
    await works(ps, document);
    return ps;
  },

  async "in Photoshop Esc in Photoshop's own progress and in the page both take everything back"({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable({ width: 512, height: 384 });
    await ps.retouch();
    const { print } = document;
    const { modal } = ps.world.ps;
    for (const cancel of [() => modal.cancel(), () => void ps.page.keyboard.press('Escape')]) {
      let calls = 0;
      modal.before = () => {
        if (++calls === 3) cancel();
      };
      await ps.applyAs('Apply as pixel layer');
      await ps.until((state) => state.work === 'idle' && state.said !== '');
      modal.before = undefined;
      const said = await ps.state((state) => state.said);
      // Pressed in the page, Esc may come when all is done: then it is done as a whole.
      if (/^Applied/.test(said)) document.undo();
      else assert.match(said, /^Cancelled/);
      assert.ok(document.print === print, `"${said}", yet the document is another`);
      await ps.page.evaluate(() => window.veraRetouch.controller.store.set({ said: '' }));
    }
    await works(ps, document);
    return ps;
  },

  async 'in Photoshop two runs asked for at once are one, and a hidden panel comes back as it was'({
    browser,
    plugin,
  }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable();
    await ps.ready();
    await ps.page.evaluate(() => {
      const { controller } = window.veraRetouch;
      void controller.retouch();
      void controller.retouch();
    });
    await ps.until((state) => state.work === 'idle' && state.tries.length > 0);
    assert.equal(await ps.state((state) => state.tries.length), 1);
    await ps.world.uxp.within(() => ps.world.panel.show(ps.world.root));
    assert.equal(await ps.state((state) => state.tries.length), 1);
    await ps.page.evaluate(() => {
      const { controller } = window.veraRetouch;
      void controller.apply();
      void controller.apply();
    });
    await ps.until((state) => state.said.startsWith('Applied'));
    assert.equal(document.history.length, 2);
    return ps;
  },
};
