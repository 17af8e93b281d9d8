import { describe, expect, it } from 'vitest';

import type { Page } from './api/chat-api';
import { Problem } from './api/problem';
import { PagedList } from './paged-list';

interface Item {
  id: number;
}

const ids = (list: PagedList<Item>): number[] => list.state.items.map(({ id }) => id);
const pageOf = (numbers: number[], next: string | null = null): Page<Item> => ({
  count: 9,
  next,
  results: numbers.map((id) => ({ id })),
});

describe('PagedList', () => {
  it('adds pages, without an item that the first page has shown already', async () => {
    const list = new PagedList<Item>((_query, page) =>
      Promise.resolve(page === 1 ? pageOf([1, 2], 'more') : pageOf([2, 3])),
    );
    await list.search('');
    expect(list.state).toMatchObject({ hasMore: true, loading: false, count: 9 });
    await list.loadMore();
    expect(ids(list)).toEqual([1, 2, 3]);
    expect(list.state.hasMore).toBe(false);
  });

  it('shows the last search even when an earlier one answers later', async () => {
    const answers: ((page: Page<Item>) => void)[] = [];
    const signals: AbortSignal[] = [];
    const list = new PagedList<Item>((_query, _page, signal) => {
      signals.push(signal);
      return new Promise((resolve) => answers.push(resolve));
    });
    const first = list.search('a');
    const second = list.search('ab');
    answers[1]?.(pageOf([2]));
    await second;
    answers[0]?.(pageOf([1]));
    await first;
    expect(ids(list)).toEqual([2]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('keeps what it has when a page fails, and asks for the same page again', async () => {
    const asked: number[] = [];
    const list = new PagedList<Item>((_query, page) => {
      asked.push(page);
      return asked.length === 2
        ? Promise.reject(new Problem('No.'))
        : Promise.resolve(page === 1 ? pageOf([1], 'more') : pageOf([2]));
    });
    await list.search('');
    await list.loadMore();
    expect(list.state).toMatchObject({ problem: { message: 'No.' }, loading: false });
    await list.retry();
    expect(asked).toEqual([1, 2, 2]);
    expect(ids(list)).toEqual([1, 2]);
  });

  it('says nothing of a request that was given up', async () => {
    const list = new PagedList<Item>((_query, _page, signal) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const search = list.search('');
    list.close();
    await search;
    expect(list.state.problem).toBeNull();
  });
});
