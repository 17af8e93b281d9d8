import { type ComponentProps, useEffect, useRef } from 'react';

const PAUSE_MS = 250;

type Props = Omit<ComponentProps<'input'>, 'type' | 'onChange'> & {
  onType?: (query: string) => void;
  /** Called once typing pauses. */
  onSearch: (query: string) => void;
};

export function SearchBox({ onType, onSearch, ...rest }: Props) {
  const pause = useRef(0);
  useEffect(() => () => clearTimeout(pause.current), []);

  return (
    <input
      {...rest}
      type="search"
      className="search"
      autoComplete="off"
      maxLength={200}
      dir="auto"
      onChange={({ target }) => {
        const query = target.value.trim();
        onType?.(query);
        clearTimeout(pause.current);
        pause.current = window.setTimeout(() => onSearch(query), PAUSE_MS);
      }}
    />
  );
}
