import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { type Photoshop, type Uxp, type UxpDocument } from '../../../src/host/photoshop/ports';
import { type PanelShell } from '../../../src/host/photoshop/shell';
import { startPlugin } from '../../../src/host/photoshop/start';
import { type HostEvent } from '../../../src/host/panelHost';
import { FakeWorld, soon } from './world';

const open: PanelShell[] = [];
afterEach(() => {
  for (const shell of open.splice(0)) shell.detach();
});

function start(helloMs = 5000) {
  const world = new FakeWorld();
  const shell = startPlugin({
    photoshop: world.ps.module as unknown as Photoshop,
    uxp: world.uxp.module as unknown as Uxp,
    fs: () => world.uxp.fs as never,
    document: world.document as unknown as UxpDocument,
    window: world.window,
    newSession: world.newSession,
    helloMs,
  });
  open.push(shell);
  return { world, shell };
}

test('entry points are those of the manifest, set up at once, and fast', async () => {
  const { world } = start();
  const manifest = JSON.parse(readFileSync(path.join(__dirname, '../../../plugin/manifest.json'), 'utf8'));
  const points = manifest.entrypoints as { type: string; id: string }[];
  const ids = (type: string): string[] => points.filter((point) => point.type === type).map(({ id }) => id);
  expect(Object.keys(world.entries.panels)).toEqual(ids('panel'));
  expect(Object.keys(world.entries.commands)).toEqual(ids('command'));
  expect(world.panel.menuItems.map(({ id }) => id)).toEqual(['auto', 'repeat', 'reload', 'diagnostics']);
  await world.uxp.within(() => {
    world.entries.plugin.create();
  });
  await world.openPanel();
  await world.uxp.within(() => {
    world.entries.plugin.destroy();
  });
});

test('the manifest asks for no more than is needed', () => {
  const manifest = JSON.parse(readFileSync(path.join(__dirname, '../../../plugin/manifest.json'), 'utf8'));
  expect(manifest.manifestVersion).toBe(5);
  expect(manifest.host).toEqual({ app: 'PS', minVersion: '26.0.0', data: { apiVersion: 2 } });
  expect(manifest.requiredPermissions).toEqual({
    localFileSystem: 'request',
    webview: { allow: 'yes', allowLocalRendering: 'yes', domains: [], enableMessageBridge: 'localOnly' },
  });
  expect(manifest.version).toMatch(/^\d{1,2}\.\d{1,2}\.\d{1,2}$/);
  expect(manifest.name.length).toBeGreaterThanOrEqual(3);
});

test('every icon that the manifest names is there, in its size, for both scales', async () => {
  const plugin = path.join(__dirname, '../../../plugin');
  const manifest = JSON.parse(readFileSync(path.join(plugin, 'manifest.json'), 'utf8'));
  const icons = [...manifest.icons, ...manifest.entrypoints[0].icons] as {
    path: string;
    width: number;
    scale: number[];
  }[];
  expect(icons).toHaveLength(4);
  for (const icon of icons) {
    for (const scale of icon.scale) {
      const { width, height, hasAlpha } = await sharp(
        path.join(plugin, icon.path.replace('.png', `@${scale}x.png`)),
      ).metadata();
      expect([width, height, hasAlpha]).toEqual([icon.width * scale, icon.width * scale, true]);
    }
  }
});

test('opening the panel makes one webview with the page, whichever entry point tells of it', async () => {
  const { world, shell } = start();
  await world.openPanel();
  expect(world.document.made.filter(({ name }) => name === 'webview')).toHaveLength(1);
  expect(world.webview.attributes.get('src')).toBe('plugin:/panel/index.html');
  const page = await world.page();
  expect(shell.connected).toBe(true);
  expect(page.kind).toBe('photoshop');
  page.close();
});

describe('a page that is dead', () => {
  test('(no hello) is replaced by a sentence, a way out, and diagnostics to copy', async () => {
    const { world } = start(30);
    await world.openPanel();
    await soon(60);
    expect(world.webview.shown).toBe(false);
    expect(world.root.text).toContain('Your documents are as they were.');
    const details = world.root.find('textarea')!.value!;
    expect(details).toContain('Photoshop 26.0.0, uxp-8.0.1-local, en_US');
    expect(details).toContain('no hello from the page after 30 ms');
    expect(details).toContain('not connected');
    // Reload makes another webview, and the page that comes then is shown.
    const first = world.webview;
    world.root.find('sp-button')!.fire('click');
    expect(world.webview).not.toBe(first);
    expect(first.parent).toBeUndefined();
    const page = await world.page();
    await soon();
    expect(world.webview.shown).toBe(true);
    expect(world.root.find('textarea')).toBeUndefined();
    page.close();
  });

  test('(loaderror) is told at once, with the code', async () => {
    const { world } = start();
    await world.openPanel();
    world.webview.fire('loaderror', { code: -324, message: 'Fail to create native webview' });
    expect(world.webview.shown).toBe(false);
    expect(world.root.find('textarea')!.value).toContain('loaderror -324 Fail to create native webview');
  });

  test('that comes to life late takes its place again', async () => {
    const { world } = start(20);
    await world.openPanel();
    await soon(50);
    expect(world.webview.shown).toBe(false);
    const page = await world.page();
    await soon();
    expect(world.webview.shown).toBe(true);
    page.close();
  });
});

describe('what the page is told', () => {
  async function listening(world: FakeWorld) {
    const page = await world.page();
    const heard: HostEvent[] = [];
    page.listen((event) => heard.push(event));
    await soon();
    return { page, heard };
  }

  test('the theme, now and when it changes; one that is not known counts as dark', async () => {
    const { world } = start();
    await world.openPanel();
    const { page, heard } = await listening(world);
    for (const theme of ['lightest', 'medium']) world.document.setTheme(theme);
    await soon();
    expect(heard.slice(-2)).toEqual([
      { kind: 'theme', theme: 'lightest' },
      { kind: 'theme', theme: 'dark' },
    ]);
    page.close();
  });

  test('commands of both menus; one that was given before the panel is carried out when it opens', async () => {
    const { world } = start();
    await world.uxp.within(() => world.entries.commands.autoRetouch.run());
    expect(world.ps.alerts).toEqual([expect.stringContaining('Open it by Plugins > VeraRetouch')]);
    await world.openPanel();
    const { page, heard } = await listening(world);
    world.panel.invokeMenu('repeat');
    await world.entries.commands.repeatRetouch.run();
    await soon();
    const commands = heard.filter(({ kind }) => kind === 'command');
    expect(commands.slice(-2)).toEqual([
      { kind: 'command', command: 'repeat' },
      { kind: 'command', command: 'repeat' },
    ]);
    expect(world.ps.alerts).toHaveLength(1);
    page.close();
  });

  test('diagnostics are shown from the menu, and the panel comes back', async () => {
    const { world } = start();
    await world.openPanel();
    const { page } = await listening(world);
    world.panel.invokeMenu('diagnostics');
    expect(world.root.find('textarea')!.value).toContain('page connected');
    const back = world.document.made.filter(({ textContent }) => textContent === 'Back to the Panel').at(-1)!;
    back.fire('click');
    expect(world.webview.shown).toBe(true);
    page.close();
  });
});

test('a Chinese Photoshop has Chinese menus', () => {
  const world = new FakeWorld();
  world.uxp.module.host.uiLocale = 'zh_CN';
  const { photoshop, uxp } = { photoshop: world.ps.module, uxp: world.uxp.module };
  open.push(
    startPlugin({
      photoshop,
      uxp,
      document: world.document,
      window: world.window,
      newSession: world.newSession,
    } as never),
  );
  expect(world.panel.menuItems[0].label).toBe('自动修图');
});
