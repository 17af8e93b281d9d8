/** A repaint this long leaves no room for scrolling and typing between two frames of 60 per second. */
const SLOW_FRAME_MS = 24;

/**
 * Calls `paint` at most once per animation frame, and less often where a frame takes long.
 *
 * The time from one paint to the next frame includes change detection, layout and painting by the browser. After a
 * slow one, as much time again stays free, so that a very long answer never takes more than half of the page's time.
 */
export class FramePacer {
  private frame: number | null = null;
  private paintedAt: number | null = null;
  private notBefore = 0;
  private wanted = false;

  constructor(private readonly paint: () => void) {}

  request(): void {
    this.wanted = true;
    this.frame ??= requestAnimationFrame(() => this.onFrame());
  }

  /** Paint what is waiting at once, for the last piece. */
  flush(): void {
    this.cancel();
    this.paint();
  }

  cancel(): void {
    if (this.frame !== null) {
      cancelAnimationFrame(this.frame);
    }
    this.frame = null;
    this.wanted = false;
    this.paintedAt = null;
  }

  private onFrame(): void {
    this.frame = null;
    const now = performance.now();
    if (this.paintedAt !== null) {
      const cost = now - this.paintedAt;
      this.notBefore = cost > SLOW_FRAME_MS ? now + cost : now;
      this.paintedAt = null;
    }
    if (this.wanted && now >= this.notBefore) {
      this.wanted = false;
      this.paintedAt = now;
      this.paint();
    }
    if (this.wanted || this.paintedAt !== null) {
      this.frame = requestAnimationFrame(() => this.onFrame());
    }
  }
}
