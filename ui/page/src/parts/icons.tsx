// The page's few signs, drawn with the colour of the text beside them.
const PATHS = {
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3 3',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z',
  system: 'M2 3h12v8H2zM6 14h4M8 11v3',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  warn: 'M8 2l6.5 12h-13zM8 6.5v3.5M8 12v.2',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5v.2',
  wait: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5',
  arrow: 'M2 8h11M9 4l4 4-4 4',
  back: 'M14 8H3M7 4L3 8l4 4',
  stop: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM4.5 8h7',
  table: 'M2 3h12v10H2zM2 6.5h12M2 10h12M6.5 3v10',
  grid: 'M2 3h5v4H2zM9 3h5v4H9zM2 9h5v4H2zM9 9h5v4H9z',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
