import '@testing-library/jest-dom/vitest';

import { cleanup } from '@testing-library/react';
import { afterEach, beforeEach } from 'vitest';

// what browsers have and jsdom lacks
const nothing = (): void => undefined;
Object.assign(globalThis, {
  ResizeObserver: class {
    readonly observe = nothing;
    readonly disconnect = nothing;
  },
  matchMedia: () => ({ matches: false, addEventListener: nothing, removeEventListener: nothing }),
});
Object.assign(HTMLElement.prototype, { hidePopover: nothing });
Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement) {
    this.open = true;
  },
  close(this: HTMLDialogElement) {
    this.open = false;
  },
});

beforeEach(() => history.replaceState(null, '', '/'));
afterEach(() => {
  cleanup();
  localStorage.clear();
});
