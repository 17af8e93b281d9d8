import { createContext, use } from 'react';

import type { User } from '../api/schema';

export interface Auth {
  user: User | null;
  /** Why nobody is signed in any more; null for somebody who has only just come. */
  left: 'signed-out' | 'ended' | null;
  signIn: (username: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
}

export const AuthContext = createContext<Auth | null>(null);

/** Who is signed in. The session itself is an HTTP-only cookie that scripts cannot read. */
export function useAuth(): Auth {
  const auth = use(AuthContext);
  if (!auth) {
    throw new Error('useAuth needs an AuthProvider above it');
  }
  return auth;
}

export function useMayModerate(): boolean {
  const role = useAuth().user?.role;
  return role === 'admin' || role === 'moderator';
}
