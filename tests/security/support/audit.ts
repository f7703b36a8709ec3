/**
 * `npm audit` of what users install.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { ROOT } from '../../support/runner.ts';

export type Audit =
  | {
      readonly answered: true;
      /** `name: severity` of what is high or critical. */ readonly severe: readonly string[];
    }
  /** The registry offers no audits, or was not reached. */
  | { readonly answered: false; readonly reason: string };

interface Report {
  readonly message?: string;
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly name: string; readonly severity: string; readonly via: readonly unknown[] }>
  >;
}

/** @param other a registry to ask instead of the configured one, and a folder for what npm remembers of it */
export async function audit(other?: { readonly registry: string; readonly cache: string }): Promise<Audit> {
  const args = ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0'];
  const output = await new Promise<string>((done) => {
    const asked =
      other === undefined ? args : [...args, `--registry=${other.registry}`, `--cache=${other.cache}`];
    // npm's exit code is the same for a weakness and for no answer: what it prints tells them apart.
    execFile('npm', asked, { cwd: ROOT, maxBuffer: 64 << 20 }, (_error, stdout) => done(stdout));
  });
  const report = JSON.parse(output === '' ? '{}' : output) as Report;
  if (report.auditReportVersion === undefined || report.vulnerabilities === undefined) {
    const reason = (report.message ?? 'npm said nothing').replaceAll(/\s*-? ?(?:GET|POST) https?:\S+/g, '');
    return { answered: false, reason: `the registry does not answer audits (${reason})` };
  }
  return {
    answered: true,
    severe: Object.values(report.vulnerabilities)
      // Of the package itself; who depends on it is listed too, with names in `via`.
      .filter(({ via }) => via.some((one) => typeof one === 'object'))
      .filter(({ severity }) => severity === 'high' || severity === 'critical')
      .map(({ name, severity }) => `${name}: ${severity}`),
  };
}
