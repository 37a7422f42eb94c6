/** RFC 3261 17, table 4; milliseconds. */
export const T1 = 500;
export const T2 = 4_000;
export const T4 = 5_000;

/** 64*T1: timers B, D (UDP), F, H, J (UDP), L and M. */
export const TRANSACTION_TIMEOUT = 64 * T1;
