/** Line drawings, 24 by 24. They stand beside words, so they are hidden from readers of the screen. */
const PATHS = {
  phone:
    'M5 4h3.5l1.6 4.2-2 1.4a12 12 0 0 0 5.3 5.3l1.4-2 4.2 1.6V18a2 2 0 0 1-2.2 2A16 16 0 0 1 3 6.2 2 2 0 0 1 5 4Z',
  desk: 'M3 14h18M6 14v6M18 14v6M8 4h8v6H8zM12 10v4',
  users:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8',
  user: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0',
  shield: 'M12 3.2 19.5 6v5.5c0 4.6-3.1 7.9-7.5 9.3-4.4-1.4-7.5-4.7-7.5-9.3V6L12 3.2Z',
  search: 'M10.8 17.6a6.8 6.8 0 1 0 0-13.6 6.8 6.8 0 0 0 0 13.6ZM15.8 15.8 20.5 20.5',
  logOut: 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9.5',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  alert: 'M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.2',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7.5V12l3 2',
  info: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 11v5M12 7.8v.2',
  pin: 'M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21ZM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  down: 'm6.5 9.5 5.5 5.5 5.5-5.5',
  left: 'M14.5 6 8.5 12l6 6',
  right: 'm9.5 6 6 6-6 6',
  up: 'M12 19V5M6.5 10.5 12 5l5.5 5.5',
  downArrow: 'M12 5v14M6.5 13.5 12 19l5.5-5.5',
  close: 'm6 6 12 12M18 6 6 18',
  key: 'M8 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12.5 12H21M17.5 12v3.5M21 12v2.5',
  unlock: 'M6 11h12v9H6zM8.5 11V8a3.7 3.7 0 0 1 7.2-1.2M12 14.5v2',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
  screen: 'M3.5 5h17v11h-17zM9 20h6M12 16v4',
  mobile: 'M7.5 3h9v18h-9zM11 17.8h2',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  signal: 'M5 18v-3M10 18v-6M15 18V9M20 18V5',
  off: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM6 6l12 12',
  circle: 'M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z',
  dots: 'M5 12v.1M12 12v.1M19 12v.1',
  list: 'M8.5 6H20M8.5 12H20M8.5 18H20M4 6v.1M4 12v.1M4 18v.1',
  split: 'M12 20v-6m0 0L6 8V4m6 10 6-6V4M3.5 6.5 6 4l2.5 2.5M15.5 6.5 18 4l2.5 2.5',
  plus: 'M12 5v14M5 12h14',
  box: 'M4 8l8-4 8 4v8.5L12 20.5 4 16.5V8ZM4 8l8 4 8-4M12 12v8.5',
  truck:
    'M3 6h11v10H3zM14 10h4l3 3v3h-7M7 18.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM17.5 18.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z',
  pencil: 'M4 20l1-4L16.5 4.5l3 3L8 19l-4 1ZM14 7l3 3',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  pause: 'M8.5 5v14M15.5 5v14',
  play: 'M7.5 4.5v15l12-7.5-12-7.5Z',
  chart: 'M4 20h16M7 20v-7M12 20V5M17 20v-10',
  home: 'M4 11.5 12 4l8 7.5M6 10v10h12V10M10 20v-5.5h4V20',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15L6 17ZM10 21h4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  upload: 'M12 15V4M7 8.5 12 3.5l5 5M5 20h14',
  building: 'M5 20.5V4h9v16.5M14 9h5v11.5M3 20.5h18M8 8h3M8 12h3M8 16h3M16.5 12.5v.1M16.5 16v.1',
  sliders: 'M4 7h9M17 7h3M15 5v4M4 12h3M11 12h9M9 10v4M4 17h10M18 17h2M16 15v4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The product's sign: a phone on a desk. */
export function Mark({ size = 32 }: { readonly size?: number }) {
  return (
    <svg class="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="32" height="32" rx="9" />
      <path class="mark-line" d="M7 20.5h18M10 20.5V25M22 20.5V25" />
      <rect class="mark-phone" x="11" y="8" width="10" height="9" rx="2.2" />
      <path class="mark-screen" d="M14 12h4" />
    </svg>
  );
}
