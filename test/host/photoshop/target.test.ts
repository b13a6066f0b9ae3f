import { retouchFor, setUp } from './support';

/* Another document comes to the front between two calls of one apply: it is never the one that is written to. */

describe.each(['lookup', 'pixels'] as const)('a retouch as %s', (output) => {
  test.each([false, true])(
    'goes to its own document or to none, whenever it is switched (selection: %s)',
    async (selection) => {
      let [refused, calls] = [0, 0];
      // The first time nothing is switched, to count the calls.
      for (let at = 0; at <= calls; at++) {
        const { ps, host } = setUp(64);
        const other = ps.open({ name: 'Other.psd' });
        const document = ps.open({ name: 'Mine.psd' });
        if (selection) {
          document.edit('Select', (state) => {
            state.selection = new Uint8Array(state.width * state.height).fill(255);
          });
        }
        const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { output });
        const [print, others] = [document.print, other.print];
        let count = 0;
        ps.modal.before = () => {
          // When this call has been made.
          if (++count === at) void Promise.resolve().then(() => (ps.active = other));
        };
        const result = await host.apply(retouch).catch((thrown: unknown) => (thrown as { code: string }).code);
        if (at === 0) calls = count;
        expect([at, other.print === others]).toEqual([at, true]);
        if (typeof result !== 'string') continue;
        refused++;
        expect([at, result, document.print === print]).toEqual([at, 'DOCUMENT_SWITCHED', true]);
      }
      expect(refused).toBeGreaterThan(0);
    },
  );
});
