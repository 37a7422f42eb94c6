import { ApiError, friendly } from '../api/client.ts';
import { texts } from '../texts.ts';

/** Why a password or a code was not taken. */
export function proofProblem(error: unknown): string {
  const reason = error instanceof ApiError ? error.problem.reason : undefined;
  return reason === 'badCredentials' || reason === 'codeNeeded'
    ? texts.myAccount.wrongProof
    : friendly(error);
}
