import type { Reporter, TestCase } from 'vitest/node';

/** Says which tests have passed at the second try only, and what was wrong with the first: nobody overlooks one that becomes unreliable. */
export default class SecondTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return;
    const [problem = 'no word'] = test.result().errors?.[0]?.message.split('\n') ?? [];
    console.log(`SECOND TRY ${test.module.relativeModuleId} > ${test.fullName}: ${problem}`);
  }
}
