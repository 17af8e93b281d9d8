import { useSyncExternalStore } from 'react';

/** State outside of React that components subscribe to; every change makes a new object. */
export abstract class Store<State extends object> {
  private current: State;
  private readonly listeners = new Set<() => void>();

  protected constructor(initial: State) {
    this.current = initial;
  }

  get state(): State {
    return this.current;
  }

  readonly snapshot = (): State => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  protected set(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    this.listeners.forEach((listener) => {
      listener();
    });
  }
}

export function useStore<State extends object>(store: Store<State>): State {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
