import { effectScope, type EffectScope } from 'vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Problem } from '../api/problem';
import { usePagedList } from './paged-list';

interface Item {
  id: number;
}

type Fetch = Parameters<typeof usePagedList<Item>>[0];

let scope: EffectScope;

function listOf(fetchPage: Fetch) {
  return scope.run(() => usePagedList<Item>(fetchPage))!;
}

function page(ids: number[], next: string | null = null) {
  return { count: 4, next, results: ids.map((id) => ({ id })) };
}

describe('usePagedList', () => {
  beforeEach(() => {
    scope = effectScope();
    vi.useFakeTimers();
  });
  afterEach(() => {
    scope.stop();
    vi.useRealTimers();
  });

  it('adds page after page, each item once', async () => {
    const list = listOf((_search, number) => Promise.resolve(number === 1 ? page([1, 2], '?page=2') : page([2, 3])));
    await list.load();
    expect(list.hasMore.value).toBe(true);
    await list.loadMore();
    expect(list.items.value.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(list.hasMore.value).toBe(false);
  });

  it('searches once the person pauses, and forgets the answer to an older search', async () => {
    const answers: ((found: ReturnType<typeof page>) => void)[] = [];
    const fetchPage = vi.fn<Fetch>(() => new Promise((resolve) => answers.push(resolve)));
    const list = listOf(fetchPage);
    list.search('a');
    list.search('ab ');
    await vi.advanceTimersByTimeAsync(300);
    list.search('abc');
    await vi.advanceTimersByTimeAsync(300);
    expect(fetchPage.mock.calls.map(([search]) => search)).toEqual(['ab', 'abc']);
    expect(fetchPage.mock.calls[0]?.[2].aborted).toBe(true);
    answers[1]?.(page([3]));
    answers[0]?.(page([1]));
    await vi.advanceTimersByTimeAsync(0);
    expect(list.items.value).toEqual([{ id: 3 }]);
  });

  it('keeps what is there when a page fails, and asks for that page again', async () => {
    const fetchPage = vi
      .fn<Fetch>()
      .mockResolvedValueOnce(page([1], '?page=2'))
      .mockRejectedValueOnce(Problem.unreachable())
      .mockResolvedValueOnce(page([2]));
    const list = listOf(fetchPage);
    await list.load();
    await list.loadMore();
    expect(list.problem.value?.message).toContain('cannot be reached');
    expect(list.items.value).toEqual([{ id: 1 }]);
    await list.retry();
    expect(fetchPage.mock.lastCall?.[1]).toBe(2);
    expect(list.problem.value).toBeNull();
    expect(list.items.value).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('ends its request with the component', async () => {
    const fetchPage = vi.fn<Fetch>(() => new Promise(() => undefined));
    void listOf(fetchPage).load();
    await vi.advanceTimersByTimeAsync(0);
    scope.stop();
    expect(fetchPage.mock.calls[0]?.[2].aborted).toBe(true);
  });
});
