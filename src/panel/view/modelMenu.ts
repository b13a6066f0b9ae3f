import { h, icon, setAttribute, setText, show } from '../dom';
import { type PanelState, isBusy } from '../state';
import { fill } from '../strings';
import { menuKeys } from './menuKeys';
import { type Context, type View } from './view';

/** The model's name in the status line, which opens what can be chosen: always there, also before there is a photo. */
export function modelMenu({ controller, strings }: Context): View {
  const { store, models } = controller;
  const name = h('span', { class: 'status-model' });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'tool model-button',
      'aria-haspopup': 'menu',
      'aria-controls': 'model-menu',
      onclick: () => {
        if (!isBusy(store.get())) store.set({ modelMenu: !store.get().modelMenu });
      },
    },
    icon('model'),
    name,
    icon('up'),
  );
  const title = h('p', { class: 'strong' });
  const where = h('p', { class: 'faint' });
  const another = item(strings.useAnother, () => models.choose());
  const again = item(strings.useAgain, () => models.again());
  const builtIn = item(strings.useBuiltIn, () => models.builtIn());
  const items = [another, again, builtIn];
  const close = (): void => {
    store.set({ modelMenu: false });
    button.focus();
  };
  const list = h('div', { role: 'menu', id: 'model-menu', 'aria-label': strings.model }, ...items);
  const menu = h(
    'div',
    { class: 'menu', onkeydown: menuKeys(items, close) },
    h('div', { class: 'menu-head' }, title, where),
    list,
  );
  const element = h('div', { class: 'model' }, button, menu);

  function item(text: string, onPick: () => Promise<void>): HTMLButtonElement {
    return h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        class: 'item',
        onclick: () => {
          // The button first: it is what has the focus when the dialog or the sheet is gone.
          close();
          void onPick();
        },
      },
      text,
    );
  }

  let open = false;
  return {
    element,
    update: (state) => {
      const shown = state.modelMenu && !isBusy(state);
      const known = state.model?.model ?? state.chosen ?? '';
      setText(name, known);
      setAttribute(button, 'aria-label', known === '' ? strings.model : fill(strings.modelNamed, { name: known }));
      setAttribute(button, 'aria-expanded', String(shown));
      setAttribute(button, 'aria-disabled', isBusy(state) && 'true');
      button.classList.toggle('quietly', isBusy(state));
      button.classList.toggle('nameless', known === '');
      setText(title, known);
      show(title, known !== '');
      setText(where, placeOf(state));
      show(again, state.lastTime);
      show(builtIn, state.lastTime || state.chosen !== undefined);
      show(menu, shown);
      if (shown && !open) another.focus();
      open = shown;
    },
  };

  function placeOf({ chosen }: PanelState): string {
    return chosen === undefined ? strings.builtIn : strings.fromFolder;
  }
}
