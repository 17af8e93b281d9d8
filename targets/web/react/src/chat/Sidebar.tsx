import { Fragment, useState } from 'react';
import { Link, NavLink, useNavigate } from 'react-router';

import { Alert } from '../Alert';
import { asProblem, type Problem } from '../api/problem';
import { useAuth, useMayModerate } from '../auth/auth';
import { Icon } from '../Icon';
import { SearchBox } from '../SearchBox';
import { useStore } from '../store';
import { applyTheme, storedTheme, themeAfter } from '../theme';
import { byAge } from './age';
import { useConversations } from './conversations';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export function Sidebar({ inert }: { inert: boolean }) {
  const { list } = useConversations();
  const mayModerate = useMayModerate();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');

  return (
    <div className="sidebar" inert={inert}>
      <div className="sidebar-head">
        <button type="button" className="button primary wide" onClick={() => navigate('/')}>
          <Icon name="plus" />
          New conversation
        </button>
        <SearchBox
          aria-label="Search conversations"
          placeholder="Search"
          onType={setTyped}
          onSearch={(query) => void list.search(query)}
        />
      </div>
      {/* moderators read any conversation by its id */}
      <ConversationList foreignId={mayModerate && UUID.test(typed) ? typed : null} />
      <Account />
    </div>
  );
}

function ConversationList({ foreignId }: { foreignId: string | null }) {
  const { list } = useConversations();
  const { items, query, loading, problem, hasMore } = useStore(list);
  const empty = !items.length && !loading && !problem && !foreignId;

  return (
    <nav className="conversations" aria-label="Conversations" aria-busy={loading}>
      {foreignId && (
        <Link className="conversation" to={`/c/${foreignId}`}>
          Open conversation {foreignId}
        </Link>
      )}
      {byAge(items).map(({ name, items: group }) => (
        <Fragment key={name}>
          <h2>{name}</h2>
          <ul>
            {group.map(({ id, title }) => (
              <li key={id}>
                <NavLink
                  className={({ isActive }) => (isActive ? 'conversation active' : 'conversation')}
                  dir="auto"
                  to={`/c/${id}`}
                  title={title}
                >
                  {title || 'New conversation'}
                </NavLink>
              </li>
            ))}
          </ul>
        </Fragment>
      ))}
      {empty && (
        <p className="hint">
          {query ? 'No conversation has this in its title.' : 'Your conversations will be listed here.'}
        </p>
      )}
      {problem ? (
        <Alert problem={problem} onRetry={() => list.retry()} />
      ) : loading ? (
        <p className="hint" role="status">
          Loading…
        </p>
      ) : (
        hasMore && (
          <button type="button" className="button quiet wide" onClick={() => list.loadMore()}>
            Load more
          </button>
        )
      )}
    </nav>
  );
}

const THEME_ICONS = { system: 'screen', light: 'sun', dark: 'moon' } as const;

function Account() {
  const { user, signOut } = useAuth();
  const [theme, setTheme] = useState(storedTheme);
  const [problem, setProblem] = useState<Problem | null>(null);
  const colours = `Colours: ${theme}`;

  function changeColours(): void {
    const next = themeAfter(theme);
    applyTheme(next);
    setTheme(next);
  }

  async function leave(): Promise<void> {
    setProblem(null);
    try {
      await signOut();
    } catch (error) {
      setProblem(asProblem(error));
    }
  }

  return (
    <>
      {problem && <Alert problem={problem} onRetry={leave} />}
      <div className="account">
        {user && (
          <p className="who">
            <span className="avatar" aria-hidden="true">
              {user.username[0]}
            </span>
            <span className="name">
              <b dir="auto">{user.username}</b>
              {user.role !== 'user' && <small>{user.role}</small>}
            </span>
          </p>
        )}
        <button type="button" className="icon-button" aria-label={colours} title={colours} onClick={changeColours}>
          <Icon name={THEME_ICONS[theme]} />
        </button>
        {user?.role === 'admin' && (
          <Link className="icon-button" to="/admin" aria-label="Users" title="Users">
            <Icon name="users" />
          </Link>
        )}
        <button type="button" className="icon-button" aria-label="Sign out" title="Sign out" onClick={leave}>
          <Icon name="signOut" />
        </button>
      </div>
    </>
  );
}
