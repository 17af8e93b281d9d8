import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FramePacer } from './frame-pacer';

describe('FramePacer', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'cancelAnimationFrame', 'performance'] }));
  afterEach(() => vi.useRealTimers());

  it('paints once per frame however many tokens come', () => {
    const paint = vi.fn();
    const pacer = new FramePacer(paint);
    for (let frame = 1; frame <= 5; frame++) {
      for (let token = 0; token < 10; token++) {
        pacer.request();
      }
      vi.advanceTimersToNextFrame();
      expect(paint).toHaveBeenCalledTimes(frame);
    }
  });

  it('paints nothing when nothing came', () => {
    const paint = vi.fn();
    new FramePacer(paint).request();
    for (let frame = 0; frame < 5; frame++) {
      vi.advanceTimersToNextFrame();
    }
    expect(paint).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves as much time free as a slow frame took', () => {
    const paint = vi.fn();
    const pacer = new FramePacer(paint);
    const paintedAt = performance.now();
    const frameAt = (ms: number): void => {
      vi.spyOn(performance, 'now').mockReturnValue(paintedAt + ms);
      pacer.request();
      vi.advanceTimersToNextFrame();
    };
    frameAt(0);
    frameAt(100); // the first paint took until here
    frameAt(199);
    expect(paint).toHaveBeenCalledOnce();
    frameAt(200);
    expect(paint).toHaveBeenCalledTimes(2);
  });

  it('paints no more once cancelled', () => {
    const paint = vi.fn();
    const pacer = new FramePacer(paint);
    pacer.request();
    pacer.cancel();
    vi.advanceTimersToNextFrame();
    expect(paint).not.toHaveBeenCalled();
  });
});
