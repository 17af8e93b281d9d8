import { config, enableAutoUnmount } from '@vue/test-utils';
import { afterEach, beforeEach, vi } from 'vitest';

enableAutoUnmount(afterEach);

// what jsdom lacks of a browser
class Observer implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
vi.stubGlobal('ResizeObserver', Observer);
vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: false }));
HTMLElement.prototype.hidePopover = () => undefined;
HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLDialogElement.prototype.close = function () {
  this.open = false;
};

// a warning of Vue's, such as a missing prop, is an error
config.global.config.warnHandler = (message) => {
  throw new Error(message);
};

beforeEach(() => {
  document.cookie = 'csrftoken=csrf-1';
});
