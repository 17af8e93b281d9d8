import { computed, readonly, ref, shallowReadonly, shallowRef } from 'vue';

import { fetchMe, signIn as requestSignIn, signOut as requestSignOut } from './api/chat-api';
import { onSessionEnd } from './api/client';
import { Problem } from './api/problem';
import type { User } from './api/schema';

const user = shallowRef<User | null>(null);
const ended = ref(false);
let loaded: Promise<void> | null = null;

const isAdministrator = computed(() => user.value?.role === 'admin');
const mayModerate = computed(() => isAdministrator.value || user.value?.role === 'moderator');

onSessionEnd(() => {
  // several requests under way may all hear of it
  if (user.value) {
    ended.value = true;
    user.value = null;
  }
});

/** Asks the server once who is signed in; its answer also sets the CSRF cookie that every later change needs. */
function load(): Promise<void> {
  loaded ??= fetchMe().then(
    (me) => {
      user.value = me;
    },
    (error: unknown) => {
      const problem = Problem.of(error);
      if (problem.status !== 401) {
        loaded = null;
        throw problem;
      }
    },
  );
  return loaded;
}

async function signIn(username: string, password: string): Promise<void> {
  user.value = await requestSignIn(username, password);
  ended.value = false;
}

async function signOut(): Promise<void> {
  await requestSignOut();
  user.value = null;
}

/** Who is signed in. The session itself is an HTTP-only cookie that scripts cannot read. */
export function useSession() {
  return {
    user: shallowReadonly(user),
    /** Whether the session ended without the user asking for it. */
    ended: readonly(ended),
    isAdministrator,
    mayModerate,
    load,
    signIn,
    signOut,
  };
}
