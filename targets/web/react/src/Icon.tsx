const PATHS = {
  plus: 'M12 5v14M5 12h14',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  send: 'M12 19V5M5.5 11.5 12 5l6.5 6.5',
  stop: 'M7 7h10v10H7z',
  down: 'M12 5v14M5.5 12.5 12 19l6.5-6.5',
  thumbsUp: 'M7 11v9H4v-9zM7 11l4-7.5a2 2 0 0 1 2 2V10h5.5a2 2 0 0 1 2 2.3l-1 6a2 2 0 0 1-2 1.7H7',
  thumbsDown: 'M17 13V4h3v9zM17 13l-4 7.5a2 2 0 0 1-2-2V14H5.5a2 2 0 0 1-2-2.3l1-6a2 2 0 0 1 2-1.7H17',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  hide: 'M4 4l16 16M9.9 5.2A9.8 9.8 0 0 1 12 5c5 0 8.5 4 9.5 7a13 13 0 0 1-2.4 3.7M6.2 6.6A12.6 12.6 0 0 0 2.5 12c1 3 4.5 7 9.5 7 1.8 0 3.3-.5 4.7-1.3M10 10a3 3 0 0 0 4 4',
  show: 'M2.5 12c1-3 4.5-7 9.5-7s8.5 4 9.5 7c-1 3-4.5 7-9.5 7s-8.5-4-9.5-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  users:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.3 2.7-6 6.5-6s6.5 2.7 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2.2.8 3.5 2.9 3.5 5.5',
  signOut: 'M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h10',
  sun: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.500z',
  screen: 'M3 5h18v11H3zM8.5 20h7M12 16v4',
  spark: 'M12 3.5c.6 4.6 3.4 7.6 8.5 8.5-5.1.9-7.9 3.9-8.5 8.5-.6-4.6-3.4-7.6-8.5-8.5 5.1-.9 7.9-3.9 8.5-8.5z',
} as const;

export type IconName = keyof typeof PATHS;

/** A decorative line drawing; the control around it carries the name. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
