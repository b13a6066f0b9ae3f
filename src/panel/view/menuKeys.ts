import { keyTarget } from './keyTarget';

/** Arrow keys go round the items of a menu; Escape closes it. */
export function menuKeys(items: readonly HTMLElement[], close: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
    const shown = items.filter((item) => !item.hidden);
    const at = shown.indexOf(document.activeElement as HTMLElement);
    // The items stand one below the other.
    const across = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
    const to = across ? undefined : keyTarget(event.key, at, shown.length);
    if (to === undefined) return;
    event.preventDefault();
    shown[to]?.focus();
  };
}
