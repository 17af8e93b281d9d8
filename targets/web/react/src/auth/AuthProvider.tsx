import { type ReactNode, useEffect, useMemo, useState } from 'react';

import { Alert } from '../Alert';
import * as api from '../api/chat-api';
import { session } from '../api/client';
import { asProblem, type Problem } from '../api/problem';
import type { User } from '../api/schema';
import { Loading } from '../Loading';
import { type Auth, AuthContext } from './auth';

type State =
  | { phase: 'asking' }
  | { phase: 'unreachable'; problem: Problem }
  | { phase: 'known'; user: User | null; left: Auth['left'] };

/** Asks the server who we are before anything else; its answer also sets the CSRF cookie that every change needs. */
export function AuthProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ phase: 'asking' });

  useEffect(() => {
    let current = true;
    void ask().then((answer) => current && setState(answer));
    return () => {
      current = false;
    };
  }, []);

  useEffect(() => {
    const end = (): void =>
      setState((before) =>
        before.phase === 'known' && before.user ? { phase: 'known', user: null, left: 'ended' } : before,
      );
    session.addEventListener('ended', end);
    return () => session.removeEventListener('ended', end);
  }, []);

  const auth = useMemo<Auth>(
    () => ({
      user: state.phase === 'known' ? state.user : null,
      left: state.phase === 'known' ? state.left : null,
      async signIn(username, password) {
        setState({ phase: 'known', user: await api.signIn(username, password), left: null });
      },
      async signOut() {
        await api.signOut();
        setState({ phase: 'known', user: null, left: 'signed-out' });
      },
    }),
    [state],
  );

  switch (state.phase) {
    case 'asking':
      return <Loading />;
    case 'unreachable':
      return (
        <main className="booting">
          <Alert problem={state.problem} onRetry={() => location.reload()} />
        </main>
      );
    case 'known':
      return <AuthContext value={auth}>{children}</AuthContext>;
  }
}

async function ask(): Promise<State> {
  try {
    return { phase: 'known', user: await api.me(), left: null };
  } catch (error) {
    const problem = asProblem(error);
    return problem.status === 401 ? { phase: 'known', user: null, left: null } : { phase: 'unreachable', problem };
  }
}
