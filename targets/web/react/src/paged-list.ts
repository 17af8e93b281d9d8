import type { Page } from './api/chat-api';
import { asProblem, type Problem } from './api/problem';
import { Store } from './store';

interface PagedListState<Item> {
  items: readonly Item[];
  query: string;
  /** Of all items on the server; null until it says so. */
  count: number | null;
  hasMore: boolean;
  loading: boolean;
  problem: Problem | null;
}

type Load<Item> = (query: string, page: number, signal: AbortSignal) => Promise<Page<Item>>;

/** A list on the server as far as it is loaded, page by page; a new search replaces the one under way. */
export class PagedList<Item extends { id: string | number }> extends Store<PagedListState<Item>> {
  private readonly fetchPage: Load<Item>;
  private page = 0;
  private asked = 1;
  private request = new AbortController();

  constructor(fetchPage: Load<Item>) {
    super({ items: [], query: '', count: null, hasMore: false, loading: false, problem: null });
    this.fetchPage = fetchPage;
  }

  search(query: string): Promise<void> {
    this.set({ query });
    return this.load(1);
  }

  loadMore(): Promise<void> {
    return this.load(this.page + 1);
  }

  retry(): Promise<void> {
    return this.load(this.asked);
  }

  update(change: (items: readonly Item[]) => readonly Item[]): void {
    this.set({ items: change(this.state.items) });
  }

  replace(item: Item): void {
    this.update((items) => items.map((other) => (other.id === item.id ? item : other)));
  }

  close(): void {
    this.request.abort();
  }

  private async load(page: number): Promise<void> {
    this.request.abort();
    const { signal } = (this.request = new AbortController());
    this.asked = page;
    this.set({ loading: true, problem: null });
    try {
      const { results, next, count } = await this.fetchPage(this.state.query, page, signal);
      if (signal.aborted) {
        return;
      }
      const before = page === 1 ? [] : this.state.items;
      // an item that came in since the first page pushes others onto the next one
      const known = new Set(before.map((item) => item.id));
      const items = [...before, ...results.filter((item) => !known.has(item.id))];
      this.page = page;
      this.set({ items, count, hasMore: Boolean(next), loading: false });
    } catch (error) {
      if (!signal.aborted) {
        this.set({ problem: asProblem(error), loading: false });
      }
    }
  }
}
