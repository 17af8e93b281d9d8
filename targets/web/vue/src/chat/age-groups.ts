import type { Conversation } from '../api/schema';

const DAY_MS = 86_400_000;

export interface AgeGroup {
  name: string;
  items: Conversation[];
}

/** Puts conversations, the last updated first, under headings by their age on the day of `now`. */
export function groupByAge(conversations: readonly Conversation[], now = new Date()): AgeGroup[] {
  const today = new Date(now).setHours(0, 0, 0, 0);
  const groups: AgeGroup[] = [];
  for (const conversation of conversations) {
    const name = age(Date.parse(conversation.updated_at), today);
    const last = groups.at(-1);
    if (last?.name === name) {
      last.items.push(conversation);
    } else {
      groups.push({ name, items: [conversation] });
    }
  }
  return groups;
}

function age(updated: number, today: number): string {
  if (updated >= today) {
    return 'Today';
  }
  if (updated >= today - DAY_MS) {
    return 'Yesterday';
  }
  return updated >= today - 7 * DAY_MS ? 'Last seven days' : 'Earlier';
}
