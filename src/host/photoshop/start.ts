import { PhotoshopHost } from './photoshopHost';
import { type Photoshop, type Uxp, type UxpDocument, type UxpFs, type UxpWindow } from './ports';
import { PanelShell } from './shell';
import { stringsFor } from './strings';

/** What UXP gives to a plugin. */
export interface World {
  readonly photoshop: Photoshop;
  readonly uxp: Uxp;
  /** Gives the module `fs`. */
  readonly fs: () => UxpFs;
  readonly document: UxpDocument;
  readonly window: UxpWindow;
  readonly newSession: () => string;
  readonly helloMs?: number;
}

/** Ids as in the manifest. */
const PANEL = 'veraretouch';
const COMMANDS = { autoRetouch: 'auto', repeatRetouch: 'repeat' } as const;

/** Sets the entry points up at once, as UXP wants it; nothing in them takes its time. */
export function startPlugin({ photoshop, uxp, fs, document, window, newSession, helloMs }: World): PanelShell {
  const strings = stringsFor(uxp.host.uiLocale);
  const host = new PhotoshopHost(photoshop, uxp, fs);
  const limits = helloMs === undefined ? {} : { helloMs };
  const shell = new PanelShell({ uxp, document, window, host, strings, newSession, ...limits });
  const command = (name: 'auto' | 'repeat') => ({
    run: async (): Promise<void> => {
      if (!shell.command(name)) await photoshop.core.showAlert({ message: strings.openPanel });
    },
  });
  const menu: Readonly<Partial<Record<string, () => void>>> = {
    auto: () => void shell.command('auto'),
    repeat: () => void shell.command('repeat'),
    reload: () => {
      shell.reload();
    },
    diagnostics: () => {
      shell.showDiagnostics();
    },
  };
  uxp.entrypoints.setup({
    plugin: {
      create: () => {
        // Without it the page is not told of changes and asks when it needs to know.
        host.start().catch(() => undefined);
      },
      destroy: () => {
        shell.detach();
        host.stop().catch(() => undefined);
      },
    },
    panels: {
      [PANEL]: {
        create: (root) => {
          shell.attach(root);
        },
        show: (root) => {
          shell.attach(root);
        },
        destroy: () => {
          shell.detach();
        },
        menuItems: [
          { id: 'auto', label: strings.auto },
          { id: 'repeat', label: strings.repeat },
          { id: 'reload', label: strings.reload },
          { id: 'diagnostics', label: strings.diagnostics },
        ],
        invokeMenu: (id) => {
          menu[id]?.();
        },
      },
    },
    commands: Object.fromEntries(Object.entries(COMMANDS).map(([id, name]) => [id, command(name)])),
  });
  return shell;
}
