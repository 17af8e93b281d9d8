import { expect, it } from 'vitest';

import { conversation } from '../test-server';
import { byAge } from './age';

it('groups conversations by calendar days, a change of clocks included', () => {
  const now = new Date(2025, 9, 26, 23, 30); // 25 hours long where clocks are put back
  const at = (day: number, hour: number, minute: number) => ({
    ...conversation(`${day}.${hour}.${minute}`, ''),
    updated_at: new Date(2025, 9, day, hour, minute).toISOString(),
  });
  const groups = byAge([at(26, 23, 0), at(26, 0, 0), at(25, 23, 59), at(25, 0, 0), at(19, 0, 0), at(18, 23, 59)], now);
  expect(groups.map(({ name, items }) => [name, items.length])).toEqual([
    ['Today', 2],
    ['Yesterday', 2],
    ['Last seven days', 1],
    ['Earlier', 1],
  ]);
});
