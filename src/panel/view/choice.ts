import { h, setAttribute } from '../dom';
import { keyTarget } from './keyTarget';

export interface ChoiceOptions<T extends string> {
  /** `tab`s have panels; `radio`s choose a value. */
  readonly role: 'tab' | 'radio';
  readonly label: string;
  readonly class: string;
  readonly values: readonly T[];
  readonly content: (value: T) => readonly (Node | string)[];
  readonly name: (value: T) => string;
  readonly onChoose: (value: T) => void;
}

/** Buttons of which one is chosen: one stop of the Tab key, arrow keys between them (WAI-ARIA: tabs, radio group). */
export function choice<T extends string>(options: ChoiceOptions<T>) {
  const { role, values, onChoose } = options;
  const buttons = values.map((value) =>
    h(
      'button',
      {
        type: 'button',
        role,
        id: role === 'tab' ? `tab-${value}` : undefined,
        'aria-controls': role === 'tab' ? 'mode-panel' : undefined,
        'aria-label': options.name(value),
        'data-value': value,
        onclick: () => {
          onChoose(value);
        },
      },
      ...options.content(value),
    ),
  );
  const element = h(
    'div',
    {
      class: options.class,
      role: role === 'tab' ? 'tablist' : 'radiogroup',
      'aria-label': options.label,
      onkeydown: (event: KeyboardEvent) => {
        const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
        const to = keyTarget(event.key, at, buttons.length);
        if (at < 0 || to === undefined) return;
        event.preventDefault();
        buttons[to]?.focus();
        onChoose(values[to]);
      },
    },
    ...buttons,
  );
  return {
    element,
    set: (chosen: T): void => {
      buttons.forEach((button, i) => {
        const is = values[i] === chosen;
        setAttribute(button, role === 'tab' ? 'aria-selected' : 'aria-checked', String(is));
        setAttribute(button, 'tabindex', is ? '0' : '-1');
      });
    },
  };
}
