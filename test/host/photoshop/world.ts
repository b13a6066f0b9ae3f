import { pagePort, RemoteHost } from '../../../src/host/remoteHost';
import { FakePhotoshop, FakeUxp } from '../../fakes/photoshop';
import { FakeElement, FakeUxpDocument, type FakeWebview, FakeWindow } from '../../fakes/photoshop/dom';

interface Panel {
  create(root: unknown): void;
  show(root: unknown): void;
  destroy(root: unknown): void;
  readonly menuItems: { id: string; label: string }[];
  invokeMenu(id: string): void;
}

/** All that surrounds the plugin's script, and what a person does with it. */
export class FakeWorld {
  readonly ps = new FakePhotoshop();
  readonly uxp = new FakeUxp();
  readonly window = new FakeWindow();
  readonly document = new FakeUxpDocument(this.window);
  readonly root = new FakeElement('div');
  private sessions = 0;

  get entries() {
    return this.uxp.entries as unknown as {
      plugin: { create(): void; destroy(): void };
      panels: Record<string, Panel>;
      commands: Record<string, { run(): Promise<void> }>;
    };
  }

  get panel(): Panel {
    return this.entries.panels.veraretouch;
  }

  /** The newest webview. */
  get webview(): FakeWebview {
    return this.document.made.filter(({ name }) => name === 'webview').at(-1) as FakeWebview;
  }

  newSession = (): string => `session ${++this.sessions}`;

  openPanel(): Promise<void> {
    return this.uxp.within(() => {
      this.panel.create(this.root);
      this.panel.show(this.root);
    });
  }

  /** Loads the page into the webview and connects it, as the page's script does. */
  async page(options: { onRestart?: () => void } = {}): Promise<RemoteHost> {
    const port = pagePort(this.webview.load())!;
    return RemoteHost.connect({ port, session: this.newSession(), retryMs: 5, ...options });
  }
}

export const soon = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
