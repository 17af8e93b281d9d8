import { beforeEach, describe, expect, it, vi } from 'vitest';

import { createFramePacer } from './frame-pacer';

let now = 0;
let callbacks = new Map<number, () => void>();

/** One animation frame, `ms` after the last. */
function frame(ms = 16): void {
  now += ms;
  const due = callbacks;
  callbacks = new Map();
  due.forEach((callback) => {
    callback();
  });
}

describe('createFramePacer', () => {
  beforeEach(() => {
    now = 0;
    callbacks = new Map();
    let handles = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
      callbacks.set(++handles, callback);
      return handles;
    });
    vi.stubGlobal('cancelAnimationFrame', (handle: number) => callbacks.delete(handle));
  });

  it('paints once per frame, however often it is asked', () => {
    const paint = vi.fn();
    const pacer = createFramePacer(paint);
    for (let token = 0; token < 10; token++) {
      pacer.request();
    }
    expect(paint).not.toHaveBeenCalled();
    frame();
    frame();
    expect(paint).toHaveBeenCalledOnce();
  });

  it('stays quiet after a slow frame for twice as long as that took', () => {
    const times: number[] = [];
    const pacer = createFramePacer(() => times.push(now));
    for (let at = 0; at < 9; at++) {
      pacer.request();
      frame(at === 1 ? 50 : 16);
    }
    // painted at 16, its frame lasted to 66: the next paint is not before 166
    expect(times).toEqual([16, 178]);
  });

  it('paints what waits when it finishes, and nothing twice', () => {
    const paint = vi.fn();
    const pacer = createFramePacer(paint);
    pacer.request();
    pacer.finish();
    pacer.finish();
    frame();
    expect(paint).toHaveBeenCalledOnce();
  });

  it('forgets what waits when it is cancelled', () => {
    const paint = vi.fn();
    const pacer = createFramePacer(paint);
    pacer.request();
    pacer.cancel();
    frame();
    pacer.finish();
    expect(paint).not.toHaveBeenCalled();
    expect(callbacks.size).toBe(0);
  });
});
