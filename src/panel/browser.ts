import { BrowserHost } from '../host/browser/browserHost';
import { type Theme } from '../host/panelHost';
import { openPanel } from './index';

/* The browser edition. `?theme=dark`, `?lang=zh` and `?device=wasm` are for those who try it out. */

const asked = new URLSearchParams(location.search);
const THEMES: readonly Theme[] = ['lightest', 'light', 'dark', 'darkest'];
const theme = THEMES.find((name) => name === asked.get('theme'));
const device = asked.get('device');

const panel = openPanel(document.getElementById('panel')!, new BrowserHost({ theme }), {
  locale: asked.get('lang') ?? undefined,
  ...(device === 'wasm' ? { devices: ['wasm'] } : {}),
  // Asked for by name, a graphics card that is only a program will do.
  ...(device === 'webgpu' ? { software: true } : {}),
});
// For the tests, which look at what no page shows.
Object.assign(window, { veraRetouch: panel });
