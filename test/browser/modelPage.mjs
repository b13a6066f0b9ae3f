import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTypeScript } from '../../scripts/lib/load-ts.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { ensurePython } from '../../scripts/lib/python.mjs';

/* Folders with other models, and what a person does to have one used. */

const made = loadTypeScript('test/panel/support/models.ts');
const { FakeFolder } = loadTypeScript('test/fakes/photoshop/index.ts');
export const { damaged, withLicence } = made;

export const LICENCE = `The licence of “another”.\n\n${'You may use it for research and for nothing else. '.repeat(30)}\n`;
/** Does all that the built-in one does; for research, with a licence. */
export const another = () => withLicence(made.another(), LICENCE);
/** Without sliders that answer at once, without an encoder. */
export const plain = () => withLicence(made.plainModel(), LICENCE);

/** A shrunken checkpoint of the published kind, with random weights, as the converter makes it. */
export function converted() {
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-converted-'));
  const [checkpoint, bundle] = [join(folder, 'checkpoint'), join(folder, 'bundle')];
  const python = ensurePython();
  const official = (command, given) => {
    const environment = { ...process.env, OMP_NUM_THREADS: '1' };
    const settings = { cwd: join(ROOT, 'training'), env: environment, stdio: 'pipe' };
    execFileSync(python, ['-m', `veraretouch.official.${command}`, ...given], settings);
  };
  official('synthetic', ['--out', checkpoint, '--seed', '3']);
  const pair = ['--encoder-renderer', join(checkpoint, 'encoder_renderer.pth')];
  const small = ['--answers', '0', '--section', '4', '--threads', '1'];
  official('convert', [checkpoint, '--out', bundle, '--accept-licence', ...pair, ...small]);
  const files = new Map(readdirSync(bundle).map((name) => [name, readFileSync(join(bundle, name))]));
  rmSync(folder, { recursive: true });
  return files;
}

/** As a folder of the Photoshop stand-in. */
export const inPhotoshop = (files, name = 'My model') => new FakeFolder(name, files);

/** As a folder on this disk. */
export function onDisk(files) {
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-model-'));
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}

/**
 * A picker whose choice is a folder of the page's own storage, which gives the same handles as the system's; no browser lets
 * a test answer the system's. `localStorage.asks` makes the browser forget its permission, as a reload does.
 */
export function withPicker(page) {
  return page.addInitScript(() => {
    window.showDirectoryPicker = async () => {
      if (window.callOff) throw new DOMException('The user aborted a request.', 'AbortError');
      return (await window.navigator.storage.getDirectory()).getDirectoryHandle('My model');
    };
    let state = () => (window.localStorage.getItem('asks') ? 'prompt' : 'granted');
    window.FileSystemHandle.prototype.queryPermission = async () => state();
    window.FileSystemHandle.prototype.requestPermission = async () => {
      if (!window.navigator.userActivation.isActive)
        throw new DOMException('User activation is required.', 'SecurityError');
      const answer = window.localStorage.getItem('asks') === 'no' ? 'denied' : 'granted';
      state = () => answer;
      return answer;
    };
  });
}

/** Puts the files where the picker finds them. */
export async function put(panel, files) {
  const list = [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  await panel.page.evaluate(async (all) => {
    const root = await window.navigator.storage.getDirectory();
    await root.removeEntry('My model', { recursive: true }).catch(() => undefined);
    const folder = await root.getDirectoryHandle('My model', { create: true });
    for (const [name, base64] of all) {
      const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await stream.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
      await stream.close();
    }
  }, list);
}

export const modelButton = (panel) => panel.page.locator('.model-button');

export async function pickItem(panel, name) {
  await panel.until((state) => state.work === 'idle' && state.model !== undefined);
  await modelButton(panel).click();
  await panel.page.getByRole('menuitem', { name, exact: true }).click();
}

/** Chooses the folder, and waits for the sheet. */
export async function offered(panel) {
  await pickItem(panel, 'Use another model…');
  await panel.until((state) => state.work === 'idle' && state.offer !== undefined);
}

/** The model of this name is in use, and nothing is asked. */
export async function used(panel, name) {
  await panel.until(
    (state, wanted) => state.work === 'idle' && (state.chosen ?? null) === wanted && state.model && !state.offer,
    name,
  );
}

export async function accept(panel, name = 'another 2.0.0') {
  await panel.button('Accept and use').click();
  await used(panel, name);
}

/** The texts of what a person is told. */
export const told = (panel) =>
  panel.state((state) => state.notices.map(({ kind, text }) => `${kind}: ${text}`).join('\n'));

/** With what a published model has: a name of some length, and needs of memory. */
const shown = () =>
  withLicence(
    made.another((m) => {
      m.name = 'veraretouch-0.5b-converted';
      m.version = '1.0.0';
      m.memory = { wasm: { page: 1.6e9 }, webgpu: { page: 1.1e9, gpu: 1.3e9, largestBuffer: 2.7e8 } };
      delete m.graphs.encoder;
      delete m.preprocess.reference;
    }),
    LICENCE,
  );

/** What the choice of a model looks like, state after state, as STATES of panelLooks.mjs. */
export const MODEL_STATES = {
  modelMenu: async (panel) => {
    await panel.page.keyboard.press('Escape');
    await panel.until((state) => !state.help);
    await put(panel, shown());
    await panel.mode('Auto');
    await modelButton(panel).click();
  },
  modelSheet: async (panel) => {
    await panel.page.keyboard.press('Escape');
    await offered(panel);
  },
  // Over in a moment with a model as small as this one: the page is shown what a large one shows.
  modelLoading: async (panel) => {
    await accept(panel, 'veraretouch-0.5b-converted 1.0.0');
    await panel.page.evaluate(() =>
      window.veraRetouch.controller.store.set({
        ...{ work: 'loading', loading: 'veraretouch-0.5b-converted', progress: 0.42 },
      }),
    );
  },
  modelInUse: async (panel) => {
    await panel.page.evaluate(() =>
      window.veraRetouch.controller.store.set({ work: 'idle', loading: '', progress: undefined, said: '' }),
    );
    await panel.mode('Match');
    await modelButton(panel).click();
  },
};
