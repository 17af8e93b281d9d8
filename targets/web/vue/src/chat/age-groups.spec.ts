import { expect, it } from 'vitest';

import { conversationOf } from '../test/server';
import { groupByAge } from './age-groups';

it('puts conversations under the day of their last message', () => {
  const now = new Date(2025, 3, 10, 12);
  const at = (day: number, hour: number): string => new Date(2025, 3, day, hour).toISOString();
  const days = [
    [10, 11],
    [10, 0],
    [9, 23],
    [8, 23],
    [3, 1],
    [2, 23],
  ] as const;
  const groups = groupByAge(
    days.map(([day, hour]) => conversationOf(`${day}-${hour}`, '', at(day, hour))),
    now,
  );
  expect(groups.map(({ name, items }) => [name, items.map(({ id }) => id)])).toEqual([
    ['Today', ['10-11', '10-0']],
    ['Yesterday', ['9-23']],
    ['Last seven days', ['8-23', '3-1']],
    ['Earlier', ['2-23']],
  ]);
});
