import { type RefCallback, useCallback, useRef, useState } from 'react';

/** Closer to the end than this, the page keeps showing the newest text. */
const FOLLOW_PX = 80;

interface Following {
  /** Whether the page stays at the end while its content grows. */
  following: boolean;
  /** Go to the end and stay there. */
  follow: () => void;
  onScroll: () => void;
  /** For the element that scrolls; its only child is what grows. */
  scrollerRef: RefCallback<HTMLElement>;
}

export function useFollowing(): Following {
  const [following, setFollowing] = useState(true);
  const scroller = useRef<HTMLElement>(null);
  const wanted = useRef(true);
  const lastTop = useRef(0);

  const toEnd = useCallback(() => {
    if (scroller.current) {
      scroller.current.scrollTop = scroller.current.scrollHeight;
      lastTop.current = scroller.current.scrollTop;
    }
  }, []);

  const want = useCallback((value: boolean) => {
    wanted.current = value;
    setFollowing(value);
  }, []);

  const scrollerRef = useCallback<RefCallback<HTMLElement>>(
    (element) => {
      scroller.current = element;
      const resized = new ResizeObserver(() => {
        if (wanted.current) {
          toEnd();
        }
      });
      for (const observed of element ? [element, ...element.children] : []) {
        resized.observe(observed);
      }
      return () => {
        resized.disconnect();
        scroller.current = null;
      };
    },
    [toEnd],
  );

  const follow = useCallback(() => {
    want(true);
    toEnd();
  }, [want, toEnd]);

  const onScroll = useCallback(() => {
    if (!scroller.current) {
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = scroller.current;
    // text that grows faster than it is followed also leaves a distance; only moving up is a wish to stay
    if (scrollHeight - clientHeight - scrollTop < FOLLOW_PX) {
      want(true);
    } else if (scrollTop < lastTop.current) {
      want(false);
    }
    lastTop.current = scrollTop;
  }, [want]);

  return { following, follow, onScroll, scrollerRef };
}
