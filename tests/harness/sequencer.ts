// The order of the test files: those first that mostly wait, so that the others run beside them.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONGEST = ['identity/keys', 'gateway/slow', 'import/import', 'gateway/requests', 'gateway/tls'];

export default class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => file.moduleId.includes(name));
      return place < 0 ? LONGEST.length : place;
    };
    return Promise.resolve([...files].sort((one, other) => rank(one) - rank(other) || (one.moduleId < other.moduleId ? -1 : 1)));
  }
}
