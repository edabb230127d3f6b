// Drawings, all in one stroke. They say nothing to a screen reader: the words beside them do.
import type { ComponentChildren } from 'preact';

function Icon({ children, size = 20 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

type Props = { size?: number };
export const AgreeIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M4.5 12.5l5 5 10-11" />
  </Icon>
);
export const DisagreeIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);
export const PassIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M5 12h13M13 7l5 5-5 5" />
  </Icon>
);
export const BoardsIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M4 6h16M4 12h16M4 18h10" />
  </Icon>
);
export const PersonIcon = (p: Props) => (
  <Icon {...p}>
    <circle cx="12" cy="8" r="4" />
    <path d="M4.5 20c1.2-3.6 4-5.5 7.5-5.5s6.3 1.9 7.5 5.5" />
  </Icon>
);
export const WriteIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19z" />
  </Icon>
);
export const BackIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M15 5l-7 7 7 7" />
  </Icon>
);
export const AnswerIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M4 5h16v11H11l-4.5 4v-4H4z" />
  </Icon>
);
export const UndoIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M8 5L4 9l4 4" />
    <path d="M4 9h10a5.5 5.5 0 010 11h-3" />
  </Icon>
);
export const EyeIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
    <circle cx="12" cy="12" r="3" />
  </Icon>
);
export const EyeOffIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
    <path d="M4 4l16 16" />
  </Icon>
);
export const ClockIcon = (p: Props) => (
  <Icon {...p}>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
);
export const OfflineIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M5 18h12a4 4 0 001-7.9A6 6 0 007 8.5 4.8 4.8 0 005 18z" />
    <path d="M3 3l18 18" />
  </Icon>
);
export const DownIcon = (p: Props) => (
  <Icon {...p}>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
);

/** People around a fire: twelve seats, one of them taken by whoever looks. */
export function Mark({ size = 32 }: Props) {
  const seats = Array.from({ length: 12 }, (_, seat) => {
    const angle = (seat * Math.PI) / 6;
    return (
      <circle
        key={seat}
        class={seat === 0 ? 'mark-own' : undefined}
        cx={16 + 12 * Math.sin(angle)}
        cy={16 + 12 * Math.cos(angle)}
        r={seat === 0 ? 2.6 : 2}
      />
    );
  });
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      {seats}
      <circle class="mark-fire" cx="16" cy="16" r="4" />
    </svg>
  );
}
