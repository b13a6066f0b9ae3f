import photoshop from 'photoshop';
import uxp from 'uxp';
import { type UxpDocument, type UxpWindow } from './ports';
import { startPlugin } from './start';

/** The entry of the plugin's script: loaded by plugin/index.html within UXP. */
const { document, window, crypto } = globalThis as unknown as {
  document: UxpDocument;
  window: UxpWindow;
  crypto: { randomUUID(): string };
};

startPlugin({ photoshop, uxp, document, window, newSession: () => crypto.randomUUID() });
