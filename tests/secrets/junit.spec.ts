/** A JUnit report on the terminal is XML with the elements that it has, whatever the secrets are. */
import { expect } from '@playwright/test';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { redactText, Secret } from '../../fixtures/secrets/index.ts';
import { xmlText } from '../../runs/render/escape/xml.ts';
import { test } from './own-process.ts';

test.use({ processOf: 'junit' });

/** As Playwright's reporter prints it (playwright/lib/runner, reporters/junit.ts). */
const reportOf = (
  said: string,
): string => `<testsuites id="" name="" tests="1" failures="1" skipped="0" errors="0" time="0.5">
<testsuite name="a.spec.ts" timestamp="2026-01-01T00:00:00.000Z" hostname="fedora42" tests="1" failures="1" skipped="0" time="0.5" errors="0">
<testcase name="says ${xmlText(said, true)}" classname="a.spec.ts" time="0.5">
<properties>
<property name="typed" value="${xmlText(said, true)}">
</property>
</properties>
<failure message="a.spec.ts:1:1 says" type="FAILURE">
<![CDATA[  Error: ${said.replaceAll(']]>', ']]&gt;')} ]]>
</failure>
</testcase>
</testsuite>
</testsuites>`;

/** Elements with the names of their attributes. @throws where it is no XML */
function elementsOf(xml: string): string[] {
  const elements: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => elements.push([name, ...Object.keys(attributes)].join(' ')));
  parser.write(xml).close();
  return elements;
}

/** Of the report's own markup, and others. */
const values = fc.oneof(
  fc.constantFrom(
    ...['testcase', 'testsuites', 'classname', '<![CDATA[', ']]>\n<', '</failure>', 'time="0.5"', 'CDATA'],
    ...['"fedora42"', 'properties>', '<property name=', 'uites', '" value="', '0.5">\n<', 'hostname='],
  ),
  fc.string({ minLength: 1, maxLength: 12 }),
);

test('LK1: JUnit on the terminal: any secret: it is XML with the same elements, and no text has the secret', () => {
  fc.assert(
    fc.property(values, (value) => {
      new Secret('JUNIT_PASSWORD', value);
      const before = reportOf('Kd7-larch-Path');
      expect(elementsOf(redactText(before))).toEqual(elementsOf(before));
    }),
    { numRuns: 300 },
  );
  new Secret('LARCH_PASSWORD', 'Vd7-"larch"-<Path>');
  const clean = redactText(reportOf('Vd7-"larch"-<Path>'));
  expect(clean.match(/\{LARCH_PASSWORD\}/g)).toHaveLength(3);
  expect(clean).not.toContain('larch');
  // What is no such report is searched as a whole, whatever it begins with.
  const odd = redactText('<testsuites><!-- "x" Vd7-"larch"-<Path> --><a b=\'Vd7-"larch"-&lt;Path>\'/>');
  expect(odd).not.toContain('larch');
});
