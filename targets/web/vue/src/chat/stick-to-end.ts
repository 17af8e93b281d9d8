import { onBeforeUnmount, onMounted, readonly, ref, type Ref } from 'vue';

/** Closer to the end than this, the page keeps showing the newest text. */
const NEAR_PX = 80;

/** Keeps a growing content scrolled to its end, until the user scrolls up. */
export function useStickToEnd(scroller: Ref<HTMLElement | null>, content: Ref<HTMLElement | null>) {
  const following = ref(true);
  let lastTop = 0;

  function toEnd(): void {
    if (scroller.value) {
      scroller.value.scrollTop = scroller.value.scrollHeight;
      lastTop = scroller.value.scrollTop;
    }
  }

  function follow(): void {
    following.value = true;
    toEnd();
  }

  function onScroll(): void {
    if (!scroller.value) {
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = scroller.value;
    // text that grows faster than it is followed also leaves a distance; only moving up is a wish to stay
    if (scrollHeight - clientHeight - scrollTop < NEAR_PX) {
      following.value = true;
    } else if (scrollTop < lastTop) {
      following.value = false;
    }
    lastTop = scrollTop;
  }

  const resized = new ResizeObserver(() => {
    if (following.value) {
      toEnd();
    }
  });
  onMounted(() => {
    for (const element of [scroller.value, content.value]) {
      if (element) {
        resized.observe(element);
      }
    }
  });
  onBeforeUnmount(() => {
    resized.disconnect();
  });

  return { following: readonly(following), follow, onScroll };
}
