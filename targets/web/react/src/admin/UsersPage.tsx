import { useEffect, useState } from 'react';

import { Alert } from '../Alert';
import { listUsers, updateUser } from '../api/chat-api';
import { asProblem, type Problem } from '../api/problem';
import type { Role, User, UserChange } from '../api/schema';
import { useAuth } from '../auth/auth';
import { PagedList } from '../paged-list';
import { SearchBox } from '../SearchBox';
import { useStore } from '../store';
import { useTitle } from '../title';

const ROLES: readonly Role[] = ['user', 'moderator', 'admin'];

/** Accounts, their roles, and whether they may sign in. */
export function UsersPage() {
  const [list] = useState(() => new PagedList(listUsers));
  const { items, count, hasMore, loading, problem: listProblem } = useStore(list);
  const [problem, setProblem] = useState<Problem | null>(null);
  useTitle('Users');

  useEffect(() => {
    void list.search('');
    return () => list.close();
  }, [list]);

  async function update(user: User, change: UserChange): Promise<void> {
    setProblem(null);
    try {
      list.replace(await updateUser(user.id, change));
    } catch (error) {
      setProblem(asProblem(error));
    }
  }

  return (
    <div className="page">
      <header className="page-head">
        <h1>Users</h1>
        {count !== null && <span className="hint">{count.toLocaleString('en')}</span>}
      </header>
      <div className="scroller">
        <div className="users" aria-busy={loading}>
          <SearchBox
            aria-label="Search users"
            placeholder="Search by name"
            onSearch={(query) => void list.search(query)}
          />
          {problem && <Alert problem={problem} />}
          {listProblem && <Alert problem={listProblem} onRetry={() => list.retry()} />}
          {items.length > 0 && <UserTable users={items} onUpdate={update} />}
          {!items.length && !loading && !listProblem && <p className="hint">No user has this in the name.</p>}
          {loading ? (
            <p className="hint" role="status">
              Loading…
            </p>
          ) : (
            hasMore && (
              <button type="button" className="button" onClick={() => list.loadMore()}>
                Load more
              </button>
            )
          )}
        </div>
      </div>
    </div>
  );
}

interface UserTableProps {
  users: readonly User[];
  onUpdate: (user: User, change: UserChange) => Promise<void>;
}

function UserTable({ users, onUpdate }: UserTableProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Role</th>
          <th scope="col">Account</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <UserRow key={user.id} user={user} onUpdate={onUpdate} />
        ))}
      </tbody>
    </table>
  );
}

function UserRow({ user, onUpdate }: { user: User; onUpdate: UserTableProps['onUpdate'] }) {
  const self = useAuth().user?.id === user.id;
  const [saving, setSaving] = useState(false);
  // the server refuses that admins change themselves, so that there is always one
  const disabled = self || saving;
  const verb = user.is_active ? 'Deactivate' : 'Activate';

  async function update(change: UserChange): Promise<void> {
    setSaving(true);
    await onUpdate(user, change);
    setSaving(false);
  }

  return (
    <tr className={user.is_active ? undefined : 'inactive'}>
      <th scope="row" dir="auto">
        {user.username}
      </th>
      <td>
        <select
          aria-label={`Role of ${user.username}`}
          disabled={disabled}
          value={user.role}
          onChange={({ target }) => update({ role: target.value as Role })}
        >
          {ROLES.map((role) => (
            <option key={role}>{role}</option>
          ))}
        </select>
      </td>
      <td>
        <button
          type="button"
          className={user.is_active ? 'button danger' : 'button'}
          aria-label={`${verb} ${user.username}`}
          disabled={disabled}
          onClick={() => update({ is_active: !user.is_active })}
        >
          {verb}
        </button>
      </td>
    </tr>
  );
}
