import type { Reporter, TestCase } from 'vitest/node';

/** Says which tests have passed at the second try only: nobody overlooks one that becomes unreliable. */
export default class SecondTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky)
      console.log(`SECOND TRY ${test.module.relativeModuleId} > ${test.fullName}`);
  }
}
