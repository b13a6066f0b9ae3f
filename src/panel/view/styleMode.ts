import { h, show } from '../dom';
import { type PanelState, currentTry, isBusy } from '../state';
import { type Context, type View } from './view';

/** The words of a style, with words to begin with. */
export function styleMode({ controller, strings }: Context): View {
  const { store } = controller;
  const area = h('textarea', {
    id: 'prompt',
    rows: 3,
    maxlength: 400,
    placeholder: strings.promptExample,
    oninput: () => {
      store.set({ instruction: area.value });
    },
  });
  const chip = (text: string): HTMLElement =>
    h(
      'button',
      {
        type: 'button',
        class: 'chip',
        onclick: () => {
          store.set({ instruction: text });
          area.focus();
        },
      },
      text,
    );
  const { example1, example2, example3, example4, example5, example6 } = strings;
  const examples = [example1, example2, example3, example4, example5, example6];
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': strings.examples }, ...examples.map(chip));
  const examplesTitle = h('h2', { class: 'small' }, strings.examples);
  const used = h('div', { class: 'chips', role: 'group', 'aria-label': strings.history });
  const usedTitle = h('h2', { class: 'small' }, strings.history);
  const element = h(
    'div',
    { class: 'mode' },
    h('label', { for: 'prompt', class: 'small' }, strings.prompt),
    area,
    examplesTitle,
    chips,
    usedTitle,
    used,
  );
  let history: PanelState['history'] | undefined;
  return {
    element,
    update: (state) => {
      if (area.value !== state.instruction) area.value = state.instruction;
      area.readOnly = isBusy(state);
      // They are to begin with; later the reasoning is what the room is for.
      const beginning = currentTry(state)?.mode !== 'style' || state.instruction === '';
      show(examplesTitle, beginning);
      show(chips, beginning);
      if (history === state.history) return;
      history = state.history;
      used.replaceChildren(...history.map(chip));
      show(used, history.length > 0);
      show(usedTitle, history.length > 0);
    },
  };
}
