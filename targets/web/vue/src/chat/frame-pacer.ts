/** A repaint this long leaves no room for scrolling and typing between two frames of 60 per second. */
const SLOW_FRAME_MS = 24;

/** So many times as long as a slow repaint took, the page stays free of the next: two thirds of its time are its own. */
const FREE_TIMES = 2;

export interface FramePacer {
  /** Asks for a repaint; many requests before the next frame make one. */
  request: () => void;
  /** Paints at once if a repaint was asked for, and no more afterwards. */
  finish: () => void;
  /** Forgets what was asked for. */
  cancel: () => void;
}

/**
 * Calls `paint` at most once per animation frame, and less often where a frame takes long.
 *
 * The time from one paint to the next frame includes Vue's update, layout and painting by the browser. One that took
 * 100 ms is followed by twelve frames of 60 per second before the next: the page stays above 40 frames per second
 * whatever one repaint costs.
 */
export function createFramePacer(paint: () => void): FramePacer {
  let frame: number | null = null;
  let wanted = false;
  let paintedAt: number | null = null;
  let notBefore = 0;

  function onFrame(): void {
    const now = performance.now();
    frame = null;
    if (paintedAt !== null) {
      const cost = now - paintedAt;
      notBefore = cost > SLOW_FRAME_MS ? now + FREE_TIMES * cost : now;
      paintedAt = null;
    }
    if (wanted && now >= notBefore) {
      wanted = false;
      paintedAt = now;
      paint();
    }
    if (wanted || paintedAt !== null) {
      frame = requestAnimationFrame(onFrame);
    }
  }

  function cancel(): void {
    if (frame !== null) {
      cancelAnimationFrame(frame);
    }
    frame = null;
    wanted = false;
    paintedAt = null;
  }

  return {
    request() {
      wanted = true;
      frame ??= requestAnimationFrame(onFrame);
    },
    finish() {
      const unpainted = wanted;
      cancel();
      if (unpainted) {
        paint();
      }
    },
    cancel,
  };
}
