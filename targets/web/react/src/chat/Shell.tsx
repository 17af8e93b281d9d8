import { useEffect, useState, useSyncExternalStore } from 'react';
import { Outlet, useLocation } from 'react-router';

import { Icon } from '../Icon';
import { Conversations, ConversationsContext } from './conversations';
import { Sidebar } from './Sidebar';

/** The width below which styles/layout.css turns the sidebar into a drawer. */
const NARROW = '(max-width: 48rem)';

/** Everything behind the sign-in; what it holds in memory ends with it, so the next user finds nothing. */
export function Shell() {
  const [conversations] = useState(() => new Conversations());
  const narrow = useSyncExternalStore(subscribeToWidth, isNarrow);
  // the drawer is open for one place: going anywhere closes it
  const { key } = useLocation();
  const [openAt, setOpenAt] = useState<string | null>(null);
  const drawer = narrow && openAt === key;
  const close = (): void => setOpenAt(null);

  useEffect(() => {
    void conversations.list.search('');
    return () => conversations.close();
  }, [conversations]);

  return (
    <ConversationsContext value={conversations}>
      <div
        className={drawer ? 'shell drawer-open' : 'shell'}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            close();
          }
        }}
      >
        <button
          type="button"
          className="icon-button open-menu"
          aria-label="Open menu"
          aria-expanded={drawer}
          onClick={() => setOpenAt(key)}
        >
          <Icon name="menu" />
        </button>
        <Sidebar inert={narrow && !drawer} />
        {drawer && <button type="button" className="backdrop" aria-label="Close menu" onClick={close} />}
        <main inert={drawer}>
          <Outlet />
        </main>
      </div>
    </ConversationsContext>
  );
}

function subscribeToWidth(changed: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

function isNarrow(): boolean {
  return matchMedia(NARROW).matches;
}
