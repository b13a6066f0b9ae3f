import { pagePort, RemoteHost } from '../host/remoteHost';
import { failureIn } from './errorTexts';
import { openPanel } from './index';
import { languageOf, stringsOf } from './strings';

/* The page in Photoshop's web view: its host is on the other side of the bridge. */

/** The web view may give the page its bridge after the page's own script has run. */
const PORT_MS = 10_000;
const LOOK_MS = 50;

async function port() {
  const until = performance.now() + PORT_MS;
  for (;;) {
    const found = pagePort(window);
    if (found || performance.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Another one for every load; `randomUUID` is only there in pages that the web view takes for secure ones. */
function newSession(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-');
}

async function start(root: HTMLElement): Promise<void> {
  const bridge = await port();
  if (!bridge) {
    sayAlone(root);
    return;
  }
  try {
    const host = await RemoteHost.connect({
      port: bridge,
      session: newSession(),
      // What was under way there is lost, and the page's idea of the document with it.
      onRestart: () => {
        location.reload();
      },
    });
    const panel = openPanel(root, host, { locale: host.locale });
    // For the tests, which look at what no page shows.
    Object.assign(window, { veraRetouch: panel });
  } catch (thrown) {
    const { text, hint } = failureIn(languageOf(navigator.language), thrown);
    say(root, text, hint);
  }
}

/** Opened by hand, or by a Photoshop without the bridge. */
function sayAlone(root: HTMLElement): void {
  const { noBridge, noBridgeHint } = stringsOf(languageOf(navigator.language));
  say(root, noBridge, noBridgeHint);
}

/** On grey, which can be read in every theme: the theme is not known yet. */
function say(root: HTMLElement, message: string, hint: string | undefined): void {
  const alert = document.createElement('div');
  alert.setAttribute('role', 'alert');
  alert.style.cssText = 'padding:16px;font:13px/1.5 system-ui,sans-serif;background:#e8e8e8;color:#1a1a1a';
  for (const text of [message, hint]) {
    const line = document.createElement('p');
    line.textContent = text ?? '';
    alert.append(line);
  }
  root.replaceChildren(alert);
}

void start(document.getElementById('panel')!);
