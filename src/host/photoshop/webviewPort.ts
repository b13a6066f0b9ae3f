import { type Port } from '../../bridge';
import { type HTMLElementLike, type MessageEventLike, type UxpWindow } from './ports';

/**
 * The plugin's end of the bridge. The webview carries JSON only, and may not be ready to take anything yet: the bridge
 * sends again what was not confirmed. Messages from the web are none of ours: the page is a local file.
 */
export function webviewPort(webview: HTMLElementLike, window: UxpWindow): Port {
  return {
    post: (message) => {
      try {
        webview.postMessage?.(message);
      } catch {
        // Not there yet, or not any more.
      }
    },
    listen: (listener) => {
      const take = ({ data, origin }: MessageEventLike): void => {
        if (!/^https?:/i.test(origin ?? '')) listener(data);
      };
      window.addEventListener('message', take);
      return () => {
        window.removeEventListener('message', take);
      };
    },
  };
}
