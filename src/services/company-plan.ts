import type { NumberPlan, View } from '../domain/view.ts';
import { createNumberPlan } from './number-plan.ts';

/** What is an emergency number where nobody knows the country: the numbers mobile networks know (3GPP TS 22.101). */
const ANYWHERE = new Set(['112', '911', '999', '000', '08', '110', '118', '119']);

const UNKNOWN_COUNTRY: NumberPlan = {
  isEmergency: (digits) => ANYWHERE.has(digits),
  toE164: () => undefined,
};

/** The number plan of the company's country, whatever is known of it at the moment it is asked. */
export function createCompanyPlan(view: Pick<View, 'emergencyDirectory'>): NumberPlan {
  let country: string | undefined;
  let plan = UNKNOWN_COUNTRY;
  const current = (): NumberPlan => {
    const now = view.emergencyDirectory?.company.country;
    if (now === country) return plan;
    country = now;
    plan = (now !== undefined && createNumberPlan(now)) || UNKNOWN_COUNTRY;
    return plan;
  };
  return {
    isEmergency: (digits) => current().isEmergency(digits),
    toE164: (digits) => current().toE164(digits),
    isShortNumber: (digits) => current().isShortNumber?.(digits) ?? false,
  };
}
