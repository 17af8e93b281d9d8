import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { vi } from 'vitest';
import { createMemoryHistory, type Router } from 'vue-router';

import type { User } from '../api/schema';
import { conversationOf, messageOf, pageOf, type serve, USER } from './server';

export type Routes = Parameters<typeof serve>[0];

export const ID = '6a3f0a86-0b4e-4d7a-9c1f-2f4f8f0a7c11';
export const HISTORY = [messageOf('m1', 'user', 'A question'), messageOf('m2', 'assistant', 'An **answer**')];

export function signedIn(user: User = USER): Routes {
  return {
    'GET /api/auth/me': () => user,
    'GET /api/conversations': () => pageOf([conversationOf(ID, 'Holiday plans')]),
    [`GET /api/conversations/${ID}`]: () => conversationOf(ID, 'Holiday plans'),
    [`GET /api/conversations/${ID}/messages`]: () => ({ results: HISTORY }),
  };
}

export let page: VueWrapper;
export let router: Router;

/** Opens the application anew, as a reload of the page would. */
export async function open(path: string): Promise<void> {
  document.body.innerHTML = '';
  vi.resetModules();
  const [{ default: App }, { createAppRouter }] = await Promise.all([import('../App.vue'), import('../router')]);
  const history = createMemoryHistory();
  history.replace(path);
  router = createAppRouter(history);
  page = mount(App, { global: { plugins: [router] }, attachTo: document.body });
  await settled();
}

export async function settled(): Promise<void> {
  await vi.dynamicImportSettled();
  for (let round = 0; round < 10; round++) {
    await flushPromises();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

export async function click(selector: string): Promise<void> {
  await page.get(selector).trigger('click');
  await settled();
}

export function articles(): string[] {
  return page.findAll('article').map((article) => `${article.attributes('aria-label')}: ${article.text()}`);
}
