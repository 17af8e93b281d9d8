import { shallowRef, watch } from 'vue';
import { createRouter, createWebHistory, type RouteRecordRaw, type RouterHistory } from 'vue-router';

import { Problem } from './api/problem';
import { useSession } from './session';
import { safeReturnPath } from './sign-in/return-path';

declare module 'vue-router' {
  interface RouteMeta {
    title?: string;
    /** Who may come here; absent: anybody who is signed in. */
    access?: 'signed-out' | 'administrator';
  }
}

const ConversationPage = () => import('./chat/ConversationPage.vue');

const routes: RouteRecordRaw[] = [
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('./sign-in/SignInPage.vue'),
    meta: { title: 'Sign in', access: 'signed-out' },
  },
  {
    path: '/',
    component: () => import('./chat/ChatLayout.vue'),
    children: [
      // one component for both, so that a draft turns into a conversation without losing its page
      { path: '', name: 'new', component: ConversationPage },
      { path: 'c/:id', name: 'conversation', component: ConversationPage, props: true },
      {
        path: 'admin',
        name: 'users',
        component: () => import('./admin/UsersPage.vue'),
        meta: { title: 'Users', access: 'administrator' },
      },
    ],
  },
  { path: '/:anything(.*)*', redirect: '/' },
];

/** A page that could not be opened: the server is out of reach, or a file of the application did not load. */
export const navigationProblem = shallowRef<Problem | null>(null);

export function createAppRouter(history: RouterHistory = createWebHistory()) {
  const { user, ended, isAdministrator, load } = useSession();
  const router = createRouter({ history, routes });

  router.beforeEach(async (to) => {
    await load();
    if (to.meta.access === 'signed-out') {
      return user.value ? safeReturnPath(to.query['next']) : true;
    }
    if (!user.value) {
      return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
    }
    return to.meta.access !== 'administrator' || isAdministrator.value || '/';
  });

  router.afterEach((to, _from, failure) => {
    if (!failure && to.meta.title) {
      document.title = to.meta.title;
    }
  });

  router.onError((error) => {
    navigationProblem.value =
      error instanceof Problem
        ? error
        : new Problem('The page could not be loaded. Check your network, then try again.');
  });

  watch(user, (now) => {
    const route = router.currentRoute.value;
    if (!now && route.meta.access !== 'signed-out') {
      void router.push({ name: 'sign-in', query: ended.value ? { next: route.fullPath } : {} });
    }
  });

  return router;
}
