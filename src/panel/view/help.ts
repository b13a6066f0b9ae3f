import { h, setText, show } from '../dom';
import { type Context, type View } from './view';

/** What a person needs to know the first time; a sheet over the page, for there are no windows to open. */
export function helpView({ controller, strings }: Context): View {
  const close = h(
    'button',
    { type: 'button', class: 'primary wide', onclick: () => void controller.closeHelp() },
    strings.start,
  );
  const model = h('p', { class: 'faint' });
  const box = h(
    'div',
    { class: 'help-box', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'help-title', tabindex: -1 },
    h('h2', { id: 'help-title' }, strings.title),
    h('ol', {}, ...[strings.help1, strings.help2, strings.help3, strings.help4].map((text) => h('li', {}, text))),
    h('p', { class: 'privacy' }, strings.privacy),
    model,
    close,
  );
  const element = h(
    'div',
    {
      class: 'help',
      onkeydown: (event: KeyboardEvent) => {
        // The one button is all that can have the focus.
        if (event.key === 'Tab') event.preventDefault();
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        void controller.closeHelp();
      },
    },
    box,
  );
  let open = false;
  let back: Element | null = null;
  return {
    element,
    update: (state) => {
      const { help } = state;
      show(element, help);
      setText(model, state.model?.model ?? '');
      if (help && !open) {
        back = document.activeElement;
        close.focus();
      } else if (!help && open && back instanceof HTMLElement) back.focus();
      open = help;
    },
  };
}
