import { h, setAttribute, setText, show } from '../dom';
import { MODES, type PanelMode, isBusy } from '../state';
import { actionsView } from './actions';
import { adjustMode } from './adjustMode';
import { choice } from './choice';
import { helpView } from './help';
import { matchMode } from './matchMode';
import { modelSheet } from './modelSheet';
import { previewView } from './preview';
import { reasoningView } from './reasoning';
import { noticesView, statusView } from './status';
import { styleMode } from './styleMode';
import { triesView } from './tries';
import { type Context, type View } from './view';

/** The whole page; returns what takes it away again. */
export function mountPage(root: HTMLElement, context: Context): () => void {
  const { controller, strings, language } = context;
  const { store } = controller;
  const tabs = choice<PanelMode>({
    role: 'tab',
    label: strings.modes,
    class: 'tabs',
    values: MODES,
    content: (mode) => [strings[mode]],
    name: (mode) => strings[mode],
    onChoose: (mode) => {
      controller.chooseMode(mode);
    },
  });
  const about = h('p', { class: 'about' });
  const modes: Partial<Record<PanelMode, View>> = {
    style: styleMode(context),
    adjust: adjustMode(context),
    match: matchMode(context),
  };
  const preview = previewView(context);
  const tries = triesView(context);
  preview.onPainted = (made) => {
    tries.take(made, preview.canvas);
  };
  const reasoning = reasoningView(context);
  const notices = noticesView(context);
  const views: View[] = [...Object.values(modes), preview, tries, reasoning, notices];
  const [actions, status, help] = [actionsView(context), statusView(context), helpView(context)];
  const sheet = modelSheet(context);
  views.push(actions, status, help);

  const panel = h(
    'div',
    { class: 'mode-panel', role: 'tabpanel', id: 'mode-panel' },
    about,
    ...Object.values(modes).map(({ element }) => element),
  );
  const scroll = h('div', { class: 'scroll', tabindex: -1 }, notices.element, panel, reasoning.element, tries.element);
  const column = h('div', { class: 'column' }, scroll, actions.element, status.element);
  const main = h(
    'main',
    { class: 'panel', lang: language === 'zh' ? 'zh-CN' : 'en' },
    h('h1', { class: 'spoken' }, strings.title),
    tabs.element,
    preview.element,
    column,
  );
  root.replaceChildren(main, help.element, sheet.element);

  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (store.get().menu || store.get().modelMenu) store.set({ menu: false, modelMenu: false });
      else if (store.get().offer) controller.models.decline();
      else controller.cancel();
    }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isBusy(store.get())) {
      event.preventDefault();
      if (store.get().proxy && !store.get().offer) void controller.retouch();
    }
  };
  document.addEventListener('keydown', onKey);
  const onPointer = ({ target }: PointerEvent): void => {
    if (store.get().modelMenu && !status.element.contains(target as Node)) store.set({ modelMenu: false });
  };
  document.addEventListener('pointerdown', onPointer);

  const ABOUT = { auto: 'autoHelp', style: 'styleHelp', adjust: 'adjustHelp', match: 'matchHelp' } as const;
  const stop = store.listen((state) => {
    setAttribute(root, 'data-theme', state.theme);
    setAttribute(main, 'aria-busy', String(isBusy(state)));
    // What takes the focus back from a sheet is no longer inert when it does.
    main.inert = state.help || state.offer !== undefined;
    tabs.set(state.mode);
    setAttribute(panel, 'aria-labelledby', `tab-${state.mode}`);
    setText(about, strings[ABOUT[state.mode]]);
    // Whoever has a result knows what the mode does.
    const live = state.mode !== 'adjust' || state.model?.capabilities.sliders !== false;
    show(about, state.current === undefined && !isBusy(state) && live);
    for (const mode of MODES) {
      const view = modes[mode];
      if (view) show(view.element, mode === state.mode);
    }
    for (const view of views) view.update(state);
    sheet.update(state);
  });
  return () => {
    stop();
    document.removeEventListener('keydown', onKey);
    document.removeEventListener('pointerdown', onPointer);
    root.replaceChildren();
  };
}
