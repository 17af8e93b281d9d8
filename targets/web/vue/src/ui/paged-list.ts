import { computed, onScopeDispose, readonly, ref, shallowRef } from 'vue';

import { Problem } from '../api/problem';

interface Page<T> {
  count: number;
  next: string | null;
  results: T[];
}

const SEARCH_PAUSE_MS = 250;

/**
 * A list that a user searches and reads page by page; a newer request replaces one under way.
 *
 * @param fetchPage asks the server for one page, counted from 1
 */
export function usePagedList<T extends { id: string | number }>(
  fetchPage: (search: string, page: number, signal: AbortSignal) => Promise<Page<T>>,
) {
  const items = shallowRef<readonly T[]>([]);
  const count = ref<number | null>(null);
  const query = ref('');
  const loading = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const more = ref(false);

  let wanted = 1;
  let abort: AbortController | null = null;
  let pause: ReturnType<typeof setTimeout> | undefined;

  onScopeDispose(() => {
    clearTimeout(pause);
    abort?.abort();
  });

  async function load(page: number): Promise<void> {
    abort?.abort();
    const { signal } = (abort = new AbortController());
    wanted = page;
    loading.value = true;
    problem.value = null;
    try {
      const found = await fetchPage(query.value, page, signal);
      if (!signal.aborted) {
        show(found, page);
      }
    } catch (error) {
      if (!signal.aborted) {
        problem.value = Problem.of(error);
      }
    } finally {
      if (!signal.aborted) {
        loading.value = false;
      }
    }
  }

  function show(found: Page<T>, page: number): void {
    const before = page === 1 ? [] : items.value;
    // an item created since the first page pushes others onto the next one
    const known = new Set(before.map((item) => item.id));
    items.value = [...before, ...found.results.filter((item) => !known.has(item.id))];
    count.value = found.count;
    more.value = found.next !== null;
  }

  return {
    items,
    count: readonly(count),
    query: readonly(query),
    loading: readonly(loading),
    problem,
    hasMore: computed(() => more.value && !loading.value),
    load: () => load(1),
    loadMore: () => load(wanted + 1),
    /** Asks again for the page that failed. */
    retry: () => load(wanted),
    /** Searches once the user pauses. */
    search: (text: string): void => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        query.value = text.trim();
        void load(1);
      }, SEARCH_PAUSE_MS);
    },
    replace: (item: T): void => {
      items.value = items.value.map((other) => (other.id === item.id ? item : other));
    },
  };
}
