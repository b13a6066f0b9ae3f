import { h, setAttribute } from '../dom';

export interface SliderOptions {
  readonly label: string;
  /** Said to those who do not see it, where the label alone would be one of many. */
  readonly name?: string;
  readonly min: number;
  readonly max: number;
  /** Where a double click, or Delete, brings it back to, and where the track's colour begins. */
  readonly rest: number;
  /** Shown behind the number. */
  readonly unit?: string;
  /** A sign in front of what is above 0. */
  readonly signed?: boolean;
  /** Class that colours the track. */
  readonly tint?: string;
  readonly onInput: (value: number) => void;
}

export interface Slider {
  readonly element: HTMLElement;
  set(value: number, disabled?: boolean): void;
}

/** A labelled slider with a number that can be typed. */
export function slider(options: SliderOptions): Slider {
  const { label, name = label, min, max, rest, unit = '', signed = false, tint, onInput } = options;
  const range = h('input', {
    type: 'range',
    min,
    max,
    step: 1,
    value: rest,
    class: `range ${tint ?? ''}`,
    'aria-label': name,
    oninput: () => {
      give(range.valueAsNumber);
    },
    ondblclick: () => {
      give(rest);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key !== 'Delete' && event.key !== 'Backspace') return;
      event.preventDefault();
      give(rest);
    },
  });
  const number = h('input', {
    type: 'text',
    inputmode: 'numeric',
    class: 'number',
    'aria-label': name,
    onfocus: () => {
      number.select();
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'Enter') number.blur();
    },
    onchange: () => {
      const typed = Number.parseFloat(number.value.replace('−', '-').replace(',', '.'));
      give(Number.isFinite(typed) ? Math.min(max, Math.max(min, Math.round(typed))) : range.valueAsNumber);
    },
  });
  const element = h(
    'div',
    { class: 'slider' },
    label === '' ? undefined : h('span', { class: 'slider-label', 'aria-hidden': 'true' }, label),
    range,
    number,
  );

  function write(value: number): void {
    range.value = String(value);
    const share = (at: number): string => `${((at - min) / (max - min)) * 100}%`;
    range.style.setProperty('--low', share(Math.min(value, rest)));
    range.style.setProperty('--high', share(Math.max(value, rest)));
    const sign = value < 0 ? '−' : signed && value > 0 ? '+' : '';
    const text = `${sign}${Math.abs(value)}${unit}`;
    if (document.activeElement !== number) number.value = text;
    setAttribute(range, 'aria-valuetext', text);
  }

  function give(value: number): void {
    write(value);
    onInput(value);
  }

  write(rest);
  return {
    element,
    set: (value, disabled = false) => {
      write(value);
      range.disabled = disabled;
      number.disabled = disabled;
      element.classList.toggle('off', disabled);
    },
  };
}
