import type { Conversation } from '../api/schema';

interface Group {
  name: string;
  items: Conversation[];
}

/** Conversations, newest first, under headings as users speak of days. */
export function byAge(conversations: readonly Conversation[], now = new Date()): Group[] {
  const groups: Group[] = [];
  for (const conversation of conversations) {
    const name = age(new Date(conversation.updated_at), now);
    const last = groups.at(-1);
    if (last?.name === name) {
      last.items.push(conversation);
    } else {
      groups.push({ name, items: [conversation] });
    }
  }
  return groups;
}

function age(updated: Date, now: Date): string {
  const midnight = (daysAgo: number): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
  if (updated >= midnight(0)) {
    return 'Today';
  }
  if (updated >= midnight(1)) {
    return 'Yesterday';
  }
  return updated >= midnight(7) ? 'Last seven days' : 'Earlier';
}
