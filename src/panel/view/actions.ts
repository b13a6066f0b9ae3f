import { type Output } from '../../host/panelHost';
import { outputName } from '../applying';
import { h, icon, setAttribute, setText, show } from '../dom';
import { type PanelState, canApply, currentTry, isBusy } from '../state';
import { menuKeys } from './menuKeys';
import { type Context, type View } from './view';

/** Retouch, Cancel, Apply. */
export function actionsView({ controller, strings }: Context): View {
  const { store, host } = controller;
  const [first, ...others] = host.abilities.outputs;
  const run = h('button', { type: 'button', onclick: once(() => void controller.retouch()) });
  const cancel = h(
    'button',
    {
      type: 'button',
      class: 'wide',
      onclick: once(() => {
        controller.cancel();
      }),
    },
    strings.cancel,
  );
  const apply = h(
    'button',
    { type: 'button', class: 'primary', onclick: once(() => void controller.apply()) },
    outputName(first, strings),
  );
  const more = h(
    'button',
    {
      type: 'button',
      class: 'primary more',
      'aria-label': strings.moreOutputs,
      'aria-haspopup': 'menu',
      onclick: () => {
        store.set({ menu: !store.get().menu });
      },
    },
    icon('more'),
  );
  const menu = menuOf(others);
  const pair = h('div', { class: 'joined' }, apply, more);
  const bar = h('progress', { class: 'bar', 'aria-label': strings.ready });
  const element = h('div', { class: 'actions' }, bar, menu, h('div', { class: 'row' }, pair, run, cancel));

  function menuOf(outputs: readonly Output[]): HTMLElement {
    const items = outputs.map((output) =>
      item(outputName(output, strings), () => {
        void controller.apply(output);
      }),
    );
    if (host.openPhoto) items.push(item(strings.otherPhoto, () => void controller.openPhoto()));
    if (host.kind === 'photoshop') items.push(item(strings.editLayer, () => void controller.editLayer()));
    return h(
      'div',
      {
        class: 'menu',
        role: 'menu',
        'aria-label': strings.moreOutputs,
        onkeydown: menuKeys(items, () => {
          store.set({ menu: false });
          more.focus();
        }),
      },
      ...items,
    );
  }

  function item(text: string, onPick: () => void): HTMLButtonElement {
    return h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        class: 'item',
        onclick: () => {
          store.set({ menu: false });
          onPick();
        },
      },
      text,
    );
  }

  let open = false;
  return {
    element,
    update: (state) => {
      const busy = isBusy(state);
      const made = currentTry(state);
      const ready = state.proxy !== undefined;
      show(cancel, busy);
      setText(cancel, state.work === 'wording' ? strings.stopWriting : strings.cancel);
      show(pair, canApply(state));
      show(run, !busy);
      run.className = made ? '' : 'primary wide';
      run.disabled = !ready || !canRun(state);
      setText(run, runText(state, made !== undefined));
      show(menu, state.menu && (!busy || canApply(state)));
      setAttribute(more, 'aria-expanded', String(state.menu));
      if (state.menu && !open) menu.querySelector('button')?.focus();
      open = state.menu;
      bar.style.visibility = busy ? 'visible' : 'hidden';
      if (state.progress === undefined) bar.removeAttribute('value');
      else bar.value = state.progress;
    },
  };

  function runText({ mode }: PanelState, again: boolean): string {
    if (mode === 'adjust') return strings.describe;
    if (mode === 'match') return strings.borrow;
    return again ? strings.again : strings.retouch;
  }
}

/** Buttons take each other's place: the second click of a double click is not meant for what lies there then. */
function once(act: () => void) {
  return ({ detail }: MouseEvent): void => {
    if (detail <= 1) act();
  };
}

function canRun(state: PanelState): boolean {
  switch (state.mode) {
    case 'auto':
      return true;
    case 'style':
      return state.instruction.trim() !== '';
    case 'adjust':
      return Object.values(state.sliders).some((value) => value !== 0);
    case 'match':
      if (state.model?.capabilities.reference === false) return false;
      if (state.match === 'pair') return state.pairBefore !== undefined && state.pairAfter !== undefined;
      return state.match === 'target' ? state.target !== undefined : state.otherDocument !== undefined;
  }
}
