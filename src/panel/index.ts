import { type PanelHost } from '../host/panelHost';
import { Controller } from './controller';
import { START, type PanelState } from './state';
import { Store } from './store';
import { languageOf, stringsOf } from './strings';
import controlsCss from './controls.css';
import modelsCss from './models.css';
import panelCss from './panel.css';
import previewCss from './preview.css';
import resultsCss from './results.css';
import { mountPage } from './view/page';
import { pageAssets } from './worker/doors';
import { Engine, type EngineOptions } from './worker/engine';
import { pageEngineParts } from './worker/start';

export interface PanelOptions extends Pick<EngineOptions, 'devices' | 'software' | 'idleMs'> {
  /** Of the page's words; the browser's own unless told. */
  readonly locale?: string | undefined;
}

export interface Panel {
  readonly controller: Controller;
  readonly engine: Engine;
  close(): void;
}

/** Puts the panel into `root`, on whichever host it is given. */
export function openPanel(root: HTMLElement, host: PanelHost, options: PanelOptions = {}): Panel {
  const language = languageOf(options.locale ?? navigator.language);
  const strings = stringsOf(language);
  const assets = pageAssets('./', host.readAsset && ((name) => host.readAsset!(name)));
  const store = new Store<PanelState>(START);
  const engine = new Engine(pageEngineParts(assets), {
    ...options,
    onEvent: (event) => {
      controller.onEngine(event);
    },
  });
  const controller: Controller = new Controller(host, engine, store, strings, language);
  const style = document.createElement('style');
  style.textContent = [panelCss, previewCss, controlsCss, resultsCss, modelsCss].join('');
  document.head.append(style);
  root.classList.add('veraretouch');
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const unmount = mountPage(root, { controller, strings, language });
  void controller.start();
  return {
    controller,
    engine,
    close: () => {
      unmount();
      engine.close();
      style.remove();
    },
  };
}
