/** Arrow keys go round the items of a menu; Escape closes it. */
export function menuKeys(items: readonly HTMLElement[], close: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
    const shown = items.filter((item) => !item.hidden);
    const at = shown.indexOf(document.activeElement as HTMLElement);
    const to = target(event.key, at, shown.length);
    if (to === undefined) return;
    event.preventDefault();
    shown[to]?.focus();
  };
}

function target(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return (at + 1) % count;
    case 'ArrowUp':
      return (at - 1 + count) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
