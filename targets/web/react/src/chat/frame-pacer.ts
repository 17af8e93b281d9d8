/** A repaint this long leaves no room for scrolling and typing between two frames of 60 per second. */
const SLOW_FRAME_MS = 24;

/**
 * Calls `paint` at most once per animation frame, and less often where a frame takes long.
 *
 * From one paint to the next frame the browser renders, lays out and paints. After a slow frame as much time again
 * stays free, so that a very long answer never takes more than half of the page's time.
 */
export class FramePacer {
  private readonly paint: () => void;
  private frame: number | null = null;
  private wanted = false;
  private paintedAt: number | null = null;
  private restUntil = 0;

  constructor(paint: () => void) {
    this.paint = paint;
  }

  request(): void {
    this.wanted = true;
    this.frame ??= requestAnimationFrame(this.onFrame);
  }

  cancel(): void {
    if (this.frame !== null) {
      cancelAnimationFrame(this.frame);
    }
    this.frame = this.paintedAt = null;
    this.wanted = false;
  }

  private readonly onFrame = (): void => {
    const now = performance.now();
    if (this.paintedAt !== null) {
      const cost = now - this.paintedAt;
      this.restUntil = cost > SLOW_FRAME_MS ? now + cost : now;
      this.paintedAt = null;
    }
    if (this.wanted && now >= this.restUntil) {
      this.wanted = false;
      this.paintedAt = now;
      this.paint();
    }
    // one more frame than there is to paint, to learn what the last paint cost
    this.frame = this.wanted || this.paintedAt !== null ? requestAnimationFrame(this.onFrame) : null;
  };
}
