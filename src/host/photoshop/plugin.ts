import photoshop from 'photoshop';
import uxp from 'uxp';
import { type UxpDocument, type UxpFs, type UxpWindow } from './ports';
import { startPlugin } from './start';

/** The entry of the plugin's script: loaded by plugin/index.html within UXP. */
const { document, window, crypto } = globalThis as unknown as {
  document: UxpDocument;
  window: UxpWindow;
  crypto: { randomUUID(): string };
};

// Loaded with its first use, so that a Photoshop that refuses it still opens the panel.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
const fs = (): UxpFs => require('fs') as UxpFs;

startPlugin({ photoshop, uxp, fs, document, window, newSession: () => crypto.randomUUID() });
